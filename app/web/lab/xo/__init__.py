"""X or O: draw a letter and follow it through a network that can be read whole."""

from __future__ import annotations

from fastapi import APIRouter

from app.web.lab.xo import learning, page

router = APIRouter()
router.include_router(page.router)
router.include_router(learning.router)
