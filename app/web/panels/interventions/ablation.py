"""Routes of the ablation panel: its switches and their effect; the stream of the ranking."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.services.interventions import ablation as ablations
from app.services.interventions.ablation import (
    ChannelSwitch,
    ablate,
    cached_ranking,
    checked_step,
    is_cheap,
    parse_switch,
)
from app.services.interventions.results import AblationRanking, By
from app.vision.cover import StepChange
from app.web.core.base_path import base
from app.web.core.file_responses import csv_response, file_response
from app.web.core.htmx import by_htmx
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.streams import (
    HtmlEvents,
    JobUpdate,
    LastEventId,
    QueuedJob,
    job_events,
    queued_job,
)
from app.web.core.templating import render, render_text
from app.web.core.work import WorkDep
from app.web.panels.interventions import ablation_panel as pane
from app.web.panels.interventions.panel_response import panel_response
from app.web.panels.panel import UnitPanel
from app.web.parts.ablation_ranking import checked_class, finished_ranking, rank_channels
from app.web.parts.contexts import as_dict
from app.web.parts.unit_query import UnitQuery, UnitQueryDep

router = APIRouter(prefix="/cut")

ALL_OFF = ChannelSwitch(all=True)


@dataclass(frozen=True, slots=True)
class AblationQuery:
    """A unit's step, which must not be the last, and the channels to switch off."""

    unit: UnitQuery
    switch: ChannelSwitch


def ablation_query(
    unit: UnitQueryDep,
    off: Annotated[str, Query(max_length=4000)] = "",
    only: Annotated[str, Query(max_length=4000)] = "",
    c: Annotated[list[int] | None, Query(max_length=1000)] = None,
    more: Annotated[str, Query(max_length=4000)] = "",
    mode: Literal["off", "only"] = "off",
) -> AblationQuery:
    """The channels to switch off, from a query or a form. Raises `BadRequest`, `UnknownStep`."""
    record = checked_step(unit.run, unit.record)
    if c or more:
        text = ",".join([*map(str, c or ()), *filter(None, [more])])
        off, only = (text, "") if mode == "off" else ("", text)
    return AblationQuery(unit, parse_switch(record, off, only))


AblationQueryDep = Annotated[AblationQuery, Depends(ablation_query)]


@router.get("/ablation")
async def panel(
    request: Request,
    cut: AblationQueryDep,
    services: ServicesDep,
    owner: OwnerDep,
    by: By = "logits",
) -> Response:
    """The switches, their effect, and a place for the ranking."""
    if "c" in request.query_params and not by_htmx(request):
        query = cut.unit.query(**pane.named(cut.switch))
        return RedirectResponse(f"{base()}/cut/ablation?{query}", 303)
    context = pane.ablation_panel(cut.unit, cut.switch, await _changes(cut, services, owner), by)
    return panel_response(request, "partials/interventions/_ablation.html", cut.unit, context)


@router.get("/ablation/result")
async def result(
    request: Request, cut: AblationQueryDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """Only the effect of the switches."""
    made = pane.ablation_result(cut.unit, cut.switch, await _changes(cut, services, owner))
    context = {"result": as_dict(made), "plain": False, "quick": pane.quick(cut.unit, cut.switch)}
    return render(request, "partials/interventions/_switched.html", context)


@router.get("/ablation.png")
async def png(
    cut: AblationQueryDep,
    side: WorkDep,
    services: ServicesDep,
    owner: OwnerDep,
) -> Response:
    """The effect as a picture."""
    changes = await _changes(cut, services, owner)
    made = await side(pane.picture, cut.unit, cut.switch, changes)
    return file_response(made, "image/png", False, f"{_name(cut.unit)}-off.png")


@router.get("/ablation.csv")
async def csv(cut: AblationQueryDep, services: ServicesDep, owner: OwnerDep) -> Response:
    """Every class, or every channel of the last step, before and after."""
    changes = await _changes(cut, services, owner)
    head, rows = pane.table_rows(cut.unit.run, changes[0])
    return csv_response(head, rows, f"{_name(cut.unit)}-off.csv")


@router.get("/ablation/ranking")
async def ranking(
    request: Request,
    unit: UnitQueryDep,
    services: ServicesDep,
    owner: OwnerDep,
    by: By = "logits",
    start: bool = False,
) -> Response:
    """The ranking if it is cached or takes no time; else on request by event stream."""
    index = checked_class(unit)
    found = cached_ranking(services.cuts, unit.run, unit.record, index)
    quick = is_cheap(unit.run.model) or not by_htmx(request)
    if found is None and start and quick:
        found = await finished_ranking(unit, services, owner)
    count = len(unit.record.statistics.peaks)
    empty = AblationRanking(torch.zeros(count), torch.zeros(count), 0)
    context = {
        "rank": as_dict(pane.rank_panel(unit, found or empty, by)),
        "live": found is None and start,
        "events": f"{base()}/cut/ablation/events?{unit.query(by=by)}",
        "again": f"{base()}/cut/ablation/ranking?{unit.query(by=by)}&start=true",
        "plain": not by_htmx(request),
    }
    if by_htmx(request):
        return render(request, "partials/interventions/_ranking.html", context)
    home = unit.view.url(step=unit.record.step.name, channel=unit.channel)
    page = {"template": "partials/interventions/_ranking.html", "home": home, "title": unit.title}
    return render(request, "pages/interventions.html", {**context, **page, "asked": unit})


async def queued_ranking(
    unit: UnitQueryDep, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedJob[AblationRanking]]:
    """The queued ranking, open until its stream ends."""
    index = checked_class(unit)
    async with queued_job(lambda: rank_channels(unit, index, services, owner)) as job:
        yield job


@router.get("/ablation/events", response_class=EventSourceResponse)
async def events(
    unit: UnitQueryDep,
    job: Annotated[QueuedJob[AblationRanking], Depends(queued_ranking)],
    by: By = "logits",
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, the ranking as it grows, `done`. An event's id counts channels."""

    async def updates() -> AsyncGenerator[JobUpdate[str]]:
        async for found in job.items:
            made = pane.rank_panel(unit, found, by)
            text = render_text("partials/interventions/_ranks.html", {"rank": as_dict(made)})
            yield JobUpdate(found.done, text)

    async for event in job_events(updates(), HtmlEvents(), place=job.place, after=last_event_id):
        yield event


async def _changes(cut: AblationQuery, services: Services, owner: str) -> list[StepChange]:
    run, record = cut.unit.run, cut.unit.record
    switches = [cut.switch, ALL_OFF]
    return await ablate(services.engine, owner, run, record, switches)


def _name(unit: UnitQuery) -> str:
    view = unit.view
    return f"{view.model}-{view.image[:12]}-{unit.record.step.name}"


PANEL = UnitPanel(
    "ablation",
    "Switch channels off",
    lambda view, model, step: ablations.applies(model, step),
    router=router,
    path="/cut/ablation",
)
