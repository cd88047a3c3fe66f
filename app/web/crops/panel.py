"""The panel of a unit's crops."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.errors import NotFound
from app.services.arithmetic import checked_cell, checked_channel
from app.services.crop_sources import SAMPLES, UPLOADS, convolution
from app.services.run import Run
from app.services.survey import Progress
from app.web.crops.asking import atlases, command, out_of, source_of
from app.web.links import View
from app.web.panes.crops import (
    Collection,
    CropsPanel,
    classes,
    crop_views,
    panel_url,
    table_url,
)
from app.web.state import OwnerDep, Services, ServicesDep
from app.web.templating import render
from app.web.units import UnitDep

router = APIRouter()

PATIENCE = 0.4
"""Seconds that a panel waits for the built-in pictures before it says how far they are."""


@router.get("/panel")
async def panel(
    request: Request,
    services: ServicesDep,
    owner: OwnerDep,
    view: UnitDep,
    of: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The inside of the panel."""
    step, channel = view.step or "", view.channel or 0
    async with services.runs.listen(view.model, view.image) as run:
        record = await run.record(step)
        checked_cell(run, record, checked_channel(record, channel), view.y, view.x)
        if (at := convolution(run.model, step, channel)) is None:
            raise NotFound(f"{step} sees the whole picture at once: there is nothing to cut out.")
        made = await _panel(services, owner, view, run, at, of)
    return render(request, "partials/_crops.html", {"panel": made})


async def _panel(
    services: Services, owner: str, view: View, run: Run, at: tuple[str, int], of: str
) -> CropsPanel:
    model = run.model
    found = await asyncio.to_thread(atlases, services, model)
    asked = of or (found.atlases[0].id if found.atlases else SAMPLES)
    source = await source_of(services, model, asked, PATIENCE)
    where = model.geometry[at[0]]
    again = panel_url(view)
    titles = [(one.id, one.title) for one in found.atlases]
    titles.append((SAMPLES, "Built-in pictures"))
    if services.gathered:
        titles.append((UPLOADS, "Pictures brought here"))
    mine = frozenset(one.id for one in services.pictures.recent(owner, 1000))
    waiting = isinstance(source, Progress)
    return CropsPanel(
        unit=f"{at[0]}, map {at[1]}",
        crops=() if isinstance(source, Progress) else crop_views(run, source, at, mine),
        out_of="" if isinstance(source, Progress) else out_of(services, source),
        collections=tuple(Collection(t, f"{again}&of={id}", id == asked) for id, t in titles),
        classes=() if isinstance(source, Progress) else classes(source, at),
        side=where.receptive_field,
        whole=where.receptive_field >= model.outline.input_size,
        progress=source if isinstance(source, Progress) else None,
        again=f"{again}&of={asked}" if waiting else again,
        refused=found.refused,
        command="" if found.atlases else command(model),
        png=table_url(model.id, asked, *at, "png"),
        csv=table_url(model.id, asked, *at, "csv"),
    )
