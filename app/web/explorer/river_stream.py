"""The explorer's event stream: a card for each computed step, the prediction, and `done`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.services.runs.run import Run, StepRecord
from app.services.runs.sheets import Scale
from app.web.api.images import ImageId
from app.web.api.models import ModelId
from app.web.api.schemas import ERRORS
from app.web.core.base_path import base
from app.web.core.links import View
from app.web.core.state import Services, ServicesDep
from app.web.core.streams import HtmlEvents, JobUpdate, LastEventId, job_events
from app.web.core.templating import render_text
from app.web.explorer.river import card
from app.web.parts.contexts import as_dict

router = APIRouter()


async def listened_run(model: ModelId, image: ImageId, services: ServicesDep) -> AsyncIterator[Run]:
    """A prepared run, kept in memory until the stream ends; errors are raised before it begins."""
    async with services.runs.listen(model, image) as run:
        yield run


@router.get(
    "/runs/{model}/{image}/events",
    response_class=EventSourceResponse,
    responses=ERRORS,
    tags=["page"],
    summary="The steps of a run as they are computed",
)
async def events(
    run: Annotated[Run, Depends(listened_run)],
    services: ServicesDep,
    scale: Annotated[Scale, Query(description="Scale of the maps' colours.")] = "unit",
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """One event per step card in order, the prediction with the last, then `done`.

    An event is HTML for the page. Its id is the number of the step, counted from 0.
    """
    updates = _updates(run, services, scale, 0 if last_event_id is None else last_event_id + 1)
    async for event in job_events(updates, HtmlEvents()):
        yield event


async def _updates(
    run: Run, services: Services, scale: Scale, first: int
) -> AsyncGenerator[JobUpdate[str]]:
    """An update for each step from `first` on, as it is computed."""
    view = View(model=run.model.id, image=run.image, scale=scale)
    if scale == "network":
        # The largest magnitude of the network is known only after the last layer.
        await run.finish()
    async for record in run.follow(first):
        yield JobUpdate(record.index, _event(services, view, run, record))


def _event(services: Services, view: View, run: Run, record: StepRecord) -> str:
    """The HTML of one event, cached: the same picture again costs nothing."""
    key = (*run.key, view.scale, record.index, base())
    if (text := services.events.get(key)) is None:
        context = {"card": as_dict(card(view, run, record)), "view": view, "model": run.model}
        text = render_text("partials/_event_card.html", context)
        services.events.put(key, text, len(text))
    return text
