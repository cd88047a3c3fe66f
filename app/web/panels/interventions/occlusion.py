"""Routes of the occlusion map: its panel, and the event stream of its rows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.services.interventions.occlusion import FILLS, OcclusionRequest, cached_map, sides, strides
from app.services.interventions.results import OcclusionSoFar
from app.web.core.base_path import base
from app.web.core.htmx import by_htmx
from app.web.core.state import OwnerDep, ServicesDep
from app.web.core.streams import (
    HtmlEvents,
    JobUpdate,
    LastEventId,
    QueuedJob,
    job_events,
    queued_job,
)
from app.web.core.templating import render_text
from app.web.panels.interventions.panel_response import has_units, panel_response
from app.web.panels.panel import UnitPanel
from app.web.parts.class_changes import why_no_classes
from app.web.parts.contexts import as_dict, helped
from app.web.parts.occlusion_map import (
    FILL_WORDS,
    HeatMap,
    OcclusionQueryDep,
    Of,
    drawing_query,
    finished_map,
    heat,
    named,
    occlusion_rows,
    title,
)
from app.web.parts.unit_query import UnitQuery

router = APIRouter(prefix="/cut")


@dataclass(frozen=True, slots=True)
class OcclusionChoices:
    """One setting of the form."""

    name: str
    title: str
    options: tuple[tuple[str, str], ...]  # values and their labels
    current: str


@dataclass(frozen=True, slots=True)
class OcclusionPanel:
    """The settings and the map."""

    title: str = helped("What the map is of.")
    choices: tuple[OcclusionChoices, ...] = helped("The settings of the form.")
    fields: dict[str, Any] = helped("The unit as fields of a form.")
    passes: int = helped("Places of the patch: one forward pass each.")
    heat: HeatMap = helped("The map as far as it is computed.")
    live: bool = helped("Whether an event stream brings the rest.")
    events: str = helped("URL of the event stream.")
    again: str = helped("URL of the panel that resumes.")
    address: str = helped("The query string of the panel for the page's URL.")
    why: str = helped("Why no class can be chosen, empty if one can.")
    over: str = helped("URL of the map over the photo, for download.")
    bare: str = helped("URL of the map alone, for download.")
    csv: str = helped("URL of the drops as a table.")


async def queued_occlusion(
    query: OcclusionQueryDep, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedJob[OcclusionSoFar]]:
    """The queued map, open until its stream ends."""
    async with queued_job(lambda: occlusion_rows(query, services, owner)) as job:
        yield job


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
    progress = cached_map(services.cuts, unit.run, occlusion)
    if start and not by_htmx(request):
        progress = await finished_map(query, services, owner)
    context = occlusion_panel(unit, occlusion, query.of, progress, start)
    return panel_response(request, "partials/interventions/_occlusion.html", unit, context)


@router.get("/occlusion/events", response_class=EventSourceResponse)
async def events(
    query: OcclusionQueryDep,
    job: Annotated[QueuedJob[OcclusionSoFar], Depends(queued_occlusion)],
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, the map after each row, `done`. It resumes where it was stopped.

    An event's id counts rows.
    """

    async def updates() -> AsyncGenerator[JobUpdate[str]]:
        async for progress in job.items:
            made = heat(query.unit, query.occlusion, query.of, progress)
            text = render_text("partials/interventions/_heat.html", {"heat": as_dict(made)})
            yield JobUpdate(progress.done, text)

    async for event in job_events(updates(), HtmlEvents(), place=job.place, after=last_event_id):
        yield event


def occlusion_panel(
    unit: UnitQuery, occlusion: OcclusionRequest, of: Of, progress: OcclusionSoFar, live: bool
) -> OcclusionPanel:
    """The whole panel."""
    state = named(occlusion, of)
    drawing, stem = drawing_query(unit, occlusion, of), _file(unit)
    query = unit.query(**state)
    files = f"{unit.view.run}/steps/{quote(unit.record.step.name)}/occlusion"
    return OcclusionPanel(
        title=title(unit, of),
        choices=_choices(unit, occlusion, of),
        fields={**unit.names, **unit.class_field},
        passes=progress.drops.numel(),
        heat=heat(unit, occlusion, of, progress),
        live=live and not progress.finished,
        events=f"{base()}/cut/occlusion/events?{query}",
        again=f"{base()}/cut/occlusion?{query}&start=true",
        address=unit.address(**state),
        why=why_no_classes(unit.run),
        over=f"{files}.png?{drawing}&over=true&download={stem}.png",
        bare=f"{files}.png?{drawing}&enlarge=8&download={stem}-plain.png",
        csv=f"{files}.csv?{drawing}",
    )


def _choices(unit: UnitQuery, occlusion: OcclusionRequest, of: Of) -> tuple[OcclusionChoices, ...]:
    size = unit.run.model.outline.input_size
    patch = occlusion.patch

    def pixels(name: str, text: str, usual: tuple[int, ...], current: int) -> OcclusionChoices:
        values = sorted({*usual, current})
        return OcclusionChoices(
            name, text, tuple((str(v), f"{v} px") for v in values), str(current)
        )

    found = [
        pixels("patch", "Patch", sides(size), patch.side),
        pixels("stride", "Moved by", strides(size), patch.stride),
        OcclusionChoices(
            "fill", "Filled with", tuple((f, FILL_WORDS[f]) for f in FILLS), occlusion.fill
        ),
    ]
    if unit.index is not None and unit.record.step.kind != "softmax":
        options = (("unit", title(unit, "unit")), ("class", title(unit, "class")))
        found.append(OcclusionChoices("of", "Drop of", options, of))
    return tuple(found)


def _file(unit: UnitQuery) -> str:
    view = unit.view
    return f"{view.model}-{view.image[:12]}-{unit.record.step.name}-{unit.channel}-occlusion"


PANEL = UnitPanel(
    "occlusion", "Where covering hurts", has_units, router=router, path="/cut/occlusion"
)
