"""Crops of pictures that activate a unit most: the panel, and its files."""

from fastapi import APIRouter

from app.web.panels.crops import files, panel
from app.web.panels.panel import UnitPanel

_router = APIRouter(prefix="/crops")
_router.include_router(panel.router)
_router.include_router(files.tables)
_router.include_router(files.router)

PANEL = UnitPanel(
    "crops", "The crops it responds to most", panel.has_crops, router=_router, path=panel.PATH
)
