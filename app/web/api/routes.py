"""`/api/v1`: what programs, notebooks and tests use."""

from fastapi import APIRouter

from app.web.api import (
    attacks,
    channels,
    cuts,
    explain,
    images,
    marks,
    models,
    occlusion,
    runs,
    sheets,
)


def router() -> APIRouter:
    """All routes of the API under its prefix."""
    api = APIRouter(prefix="/api/v1")
    for part in (models, channels, images, runs, explain, marks, sheets, cuts, occlusion, attacks):
        api.include_router(part.router)
    return api
