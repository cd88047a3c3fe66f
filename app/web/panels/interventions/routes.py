"""All routes of the intervention panels under one prefix."""

from fastapi import APIRouter

from app.web.panels.interventions import ablation, cover, occlusion

router = APIRouter(prefix="/cut", include_in_schema=False)
for _part in (cover, occlusion, ablation):
    router.include_router(_part.router)
