"""The Lab: convolution, pooling and a tiny network on small inputs, with every number visible."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from app.web.core.base_path import base
from app.web.lab import grid, photo, row, xo
from app.web.lab.tools import TOOLS

router = APIRouter(prefix="/lab", include_in_schema=False)
router.include_router(row.router)
router.include_router(grid.router)
router.include_router(photo.router)
router.include_router(xo.router)


@router.get("")
async def lab() -> RedirectResponse:
    """Redirect to the first tool."""
    return RedirectResponse(f"{base()}/lab/{TOOLS[0].id}", 303)
