"""Lab tool X or O: a tiny network that classifies a drawn letter, with every number visible."""

from __future__ import annotations

from fastapi import APIRouter

from app.web.lab.xo import learning, page

router = APIRouter()
router.include_router(page.router)
router.include_router(learning.router)
