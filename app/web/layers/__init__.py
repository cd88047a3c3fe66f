"""The layer walk: what layers 1 to 5 respond to, a screen each."""

from app.web.layers.page import router

__all__ = ["router"]
