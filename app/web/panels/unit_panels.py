"""The panels of a selected unit: their links, and the route of those that have no other."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import NotFound
from app.services.networks.catalogue import Model
from app.services.runs.arithmetic import checked_cell, checked_channel
from app.web.core.links import View
from app.web.core.state import ServicesDep
from app.web.core.templating import render
from app.web.core.work import WorkDep
from app.web.panels.panel import Panel, PanelLink, PanelsDep, UnitPanel
from app.web.parts.unit_query import UnitViewDep
from models.graph import Step

router = APIRouter(include_in_schema=False)


@router.get("/panels/{panel}")
async def show(
    request: Request,
    side: WorkDep,
    panel: str,
    panels: PanelsDep,
    services: ServicesDep,
    view: UnitViewDep,
) -> Response:
    """The content of one panel."""
    chosen = next((one for one in unit_panels(panels) if one.id == panel), None)
    if chosen is None or chosen.build is None:
        raise NotFound("There is no such panel.")
    async with services.runs.listen(view.model, view.image) as run:
        record = await run.record(view.step or "")
        checked_cell(run, record, checked_channel(record, view.channel or 0), view.y, view.x)
        if not chosen.applies(view, run.model, record.step):
            raise NotFound(f"“{chosen.title}” has nothing to show for {view.step}.")
        context = await side(chosen.build, view, run, record)
    return render(request, chosen.template, {"panel": context})


def unit_panels(panels: tuple[Panel, ...]) -> list[UnitPanel]:
    """The panels under a unit."""
    return [one for one in panels if isinstance(one, UnitPanel)]


def unit_links(
    panels: tuple[Panel, ...], view: View, model: Model, step: Step
) -> tuple[PanelLink, ...]:
    """The panels of a unit, or of a step if no channel is named."""
    return tuple(
        PanelLink(one.title, one.url(view), one.opened(view))
        for one in unit_panels(panels)
        if one.applies(view, model, step)
    )
