"""Registry of the panels of a selected unit: folded until opened, one line each in the table.

A new visualisation is a function in `app/vision/`, a file in this package with its context and the
function that fills it, a partial, and its line in `PANELS`. Panels with routes of their own
(synthesis, crops, interventions) add theirs in `links`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import NotFound
from app.services.networks.catalogue import Model
from app.services.runs.arithmetic import checked_cell, checked_channel
from app.services.runs.run import Run, StepRecord
from app.web.core.links import View
from app.web.core.state import ServicesDep
from app.web.core.templating import render
from app.web.panels.class_contributions import contributions
from app.web.panels.crops.panel import crop_links
from app.web.panels.interventions.panel_links import intervention_links
from app.web.panels.numbers import numbers
from app.web.panels.panel_link import PanelLink
from app.web.panels.projections import projections
from app.web.panels.slices import has_slices, slices
from app.web.panels.synthesis.pictures import synthesis_links
from app.web.parts.unit_query import UnitViewDep
from models.graph import Step


@dataclass(frozen=True, slots=True)
class Panel:
    """`build` may compute for long: it runs in a thread. `applies` selects the steps."""

    id: str
    title: str
    template: str
    build: Callable[[View, Run, StepRecord], Any]
    applies: Callable[[Model, Step], bool]


PANELS = (
    Panel(
        "projections",
        "What in the picture drives it",
        "partials/_projections.html",
        projections,
        lambda model, step: step.kind not in ("flatten", "softmax"),
    ),
    Panel(
        "paid",
        "Which places of the picture made this score",
        "partials/arithmetic/_paid.html",
        contributions,
        lambda model, step: (
            bool(model.outline.logits)
            and (step.name == model.outline.logits or step.kind == "softmax")
        ),
    ),
    Panel(
        "numbers",
        "The numbers around this cell",
        "partials/_numbers.html",
        numbers,
        lambda model, step: model.geometry[step.name].spatial,
    ),
    Panel(
        "slices",
        "All slices of its kernel",
        "partials/_slices.html",
        slices,
        has_slices,
    ),
)

router = APIRouter(include_in_schema=False)


@router.get("/panels/{panel}")
async def show(
    request: Request,
    panel: str,
    services: ServicesDep,
    view: UnitViewDep,
) -> Response:
    """The content of one panel."""
    chosen = next((one for one in PANELS if one.id == panel), None)
    if chosen is None:
        raise NotFound("There is no such panel.")
    async with services.runs.listen(view.model, view.image) as run:
        record = await run.record(view.step or "")
        checked_cell(run, record, checked_channel(record, view.channel or 0), view.y, view.x)
        if not chosen.applies(run.model, record.step):
            raise NotFound(f"“{chosen.title}” has nothing to show for {view.step}.")
        context = await asyncio.to_thread(chosen.build, view, run, record)
    return render(request, chosen.template, {"panel": context})


def links(view: View, model: Model, step: Step) -> tuple[PanelLink, ...]:
    """The panels of a unit, or of a step if no channel is named."""
    given_up = ("zoom", "source", "path", "kept", "wall", "both", "made")
    query = view.query(scale="unit", **dict.fromkeys(given_up))
    own = [
        PanelLink(one.title, f"/panels/{one.id}?{query}")
        for one in PANELS
        if view.channel is not None and one.applies(model, step)
    ]
    grown, crops = synthesis_links(view, model, step), crop_links(view, model, step)
    return (*grown, *crops, *own, *intervention_links(view, model, step))
