"""`/api/v1`: what programs, notebooks and tests use."""

from fastapi import APIRouter

from app.web.api import attacks, explain, images, marks, models, runs, sheets


def router() -> APIRouter:
    """All routes of the API under its prefix."""
    api = APIRouter(prefix="/api/v1")
    for part in (models, images, runs, explain, marks, sheets, attacks):
        api.include_router(part.router)
    return api
