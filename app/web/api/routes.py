"""`/api/v1`: the router of the JSON API, for programs, notebooks and tests."""

from fastapi import APIRouter

from app.web.api import (
    attacks,
    channels,
    derived_maps,
    explain,
    images,
    interventions,
    models,
    occlusion,
    runs,
    sheets,
)


def router() -> APIRouter:
    """All routes of the API under its prefix."""
    api = APIRouter(prefix="/api/v1")
    for part in (
        models,
        channels,
        images,
        runs,
        explain,
        derived_maps,
        sheets,
        interventions,
        occlusion,
        attacks,
    ):
        api.include_router(part.router)
    return api
