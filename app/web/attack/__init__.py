"""The attack page: run an adversarial attack on a network, with panels that analyse its result."""

from __future__ import annotations

from fastapi import APIRouter

from app.web.attack import files, live, page, panels

router = APIRouter(prefix="/attack", include_in_schema=False)
router.add_api_route("", page.attack)
router.include_router(page.router)
router.include_router(live.router)
router.include_router(files.router)
router.include_router(panels.router)
