"""The layer walk: what do layers 1 to 5 respond to? One screen each."""

from app.web.layers.page import router

__all__ = ["router"]
