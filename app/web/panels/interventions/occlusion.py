"""The occlusion map: its panel, and its rows as they are computed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.services.interventions.occlusion import OcclusionSoFar, cached_map
from app.web.core.htmx import by_htmx
from app.web.core.state import OwnerDep, ServicesDep
from app.web.core.streams import event_stream, started
from app.web.core.templating import render_text
from app.web.panels.interventions.page import answer
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
    """A question that has its place in the queue: 0 goes next."""

    question: OcclusionQuery
    place: int
    items: AsyncIterator[int | OcclusionSoFar]


async def queued(
    question: OcclusionQueryDep, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedOcclusion]:
    """The job, held until its stream has ended."""
    place, items = await started(lambda: _rows(question, services, owner))
    try:
        yield QueuedOcclusion(question, place, items)
    finally:
        await items.aclose()  # type: ignore[attr-defined]


@router.get("/occlusion")
async def panel(
    request: Request,
    question: OcclusionQueryDep,
    services: ServicesDep,
    owner: OwnerDep,
    start: bool = False,
) -> Response:
    """The choices, and the map as far as it is; with `start` the rest comes by stream.

    Without scripts the whole map is waited for.
    """
    asked, wanted = question.asked, question.wanted
    laid = cached_map(services.cuts, asked.run, wanted)
    if start and not by_htmx(request):
        laid = await finished_map(question, services, owner)
    context = occlusion_panel(asked, wanted, question.of, laid, start)
    return answer(request, "partials/cut/_occlusion.html", asked, context)


@router.get("/occlusion/events", response_class=EventSourceResponse)
async def events(
    job: Annotated[QueuedOcclusion, Depends(queued)],
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, the map after each row, `done`. It goes on where it was stopped."""

    def write(laid: OcclusionSoFar) -> tuple[str, str]:
        one = job.question
        made = heat(one.asked, one.wanted, one.of, laid)
        text = render_text("partials/cut/_heat.html", {"heat": as_dict(made)})
        return text, str(laid.done)

    async for event in event_stream(job.place, job.items, write):
        yield event
