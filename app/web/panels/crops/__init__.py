"""Crops of pictures that activate a unit most: the panel, and its files."""

from fastapi import APIRouter

from app.web.panels.crops import files, panel

router = APIRouter(prefix="/crops", include_in_schema=False)
router.include_router(panel.router)
router.include_router(files.tables)
router.include_router(files.router)
