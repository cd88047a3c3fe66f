"""Routes of the occlusion map: its panel, and the event stream of its rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.services.interventions.occlusion import OcclusionSoFar, so_far
from app.web.core.htmx import by_htmx
from app.web.core.state import OwnerDep, ServicesDep
from app.web.core.streams import event_stream, start_job
from app.web.core.templating import render_text
from app.web.panels.interventions.page import panel_response
from app.web.parts.contexts import as_dict
from app.web.parts.occlusion_map import (
    OcclusionQuery,
    OcclusionQueryDep,
    _rows,
    finished_map,
    heat,
    occlusion_panel,
)

router = APIRouter()


@dataclass(frozen=True, slots=True)
class QueuedOcclusion:
    """An occlusion map with its place in the queue: 0 is next."""

    question: OcclusionQuery
    place: int
    items: AsyncIterator[int | OcclusionSoFar]


async def queued_occlusion(
    query: OcclusionQueryDep, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedOcclusion]:
    """The queued job, open until its stream ends."""
    place, items = await start_job(lambda: _rows(query, services, owner))
    try:
        yield QueuedOcclusion(query, place, items)
    finally:
        await items.aclose()  # type: ignore[attr-defined]


@router.get("/occlusion")
async def panel(
    request: Request,
    query: OcclusionQueryDep,
    services: ServicesDep,
    owner: OwnerDep,
    start: bool = False,
) -> Response:
    """The settings, and the map as far as it is computed; with `start` the rest comes by stream.

    Without scripts the response waits for the whole map.
    """
    unit, occlusion = query.unit, query.occlusion
    progress = so_far(services.cuts, unit.run, occlusion)
    if start and not by_htmx(request):
        progress = await finished_map(query, services, owner)
    context = occlusion_panel(unit, occlusion, query.of, progress, start)
    return panel_response(request, "partials/cut/_occlusion.html", unit, context)


@router.get("/occlusion/events", response_class=EventSourceResponse)
async def events(
    job: Annotated[QueuedOcclusion, Depends(queued_occlusion)],
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, the map after each row, `done`. It resumes where it was stopped."""

    def write(progress: OcclusionSoFar) -> tuple[str, str]:
        one = job.question
        made = heat(one.unit, one.occlusion, one.of, progress)
        text = render_text("partials/cut/_heat.html", {"heat": as_dict(made)})
        return text, str(progress.done)

    async for event in event_stream(job.place, job.items, write):
        yield event
