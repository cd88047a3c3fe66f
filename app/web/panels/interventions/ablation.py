"""Switching channels off: the switches and what they did; the ranking as it is computed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.services.interventions.ablation import (
    AblationRanking,
    By,
    ChannelSwitch,
    ablate,
    cached_ranking,
    checked_step,
    is_cheap,
    parse_switch,
)
from app.vision.cover import StepChange
from app.web.core.file_responses import csv_response, file_response
from app.web.core.htmx import by_htmx
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.streams import event_stream, started
from app.web.core.templating import render, render_text
from app.web.panels.interventions import ablation_panel as pane
from app.web.panels.interventions.page import answer
from app.web.parts.ablation_ranking import _checked, _rank, finished_ranking
from app.web.parts.contexts import as_dict
from app.web.parts.unit_query import UnitQuery, UnitQueryDep

router = APIRouter()

ALL_OFF = ChannelSwitch(all=True)


@dataclass(frozen=True, slots=True)
class AblationQuery:
    """A unit's step that something follows, and which of its channels are off."""

    asked: UnitQuery
    switch: ChannelSwitch


@dataclass(frozen=True, slots=True)
class QueuedRanking:
    """A ranking that has its place in the queue."""

    asked: UnitQuery
    by: By
    place: int
    items: AsyncIterator[int | AblationRanking]


def cut(
    asked: UnitQueryDep,
    off: Annotated[str, Query(max_length=4000)] = "",
    only: Annotated[str, Query(max_length=4000)] = "",
    c: Annotated[list[int] | None, Query(max_length=1000)] = None,
    more: Annotated[str, Query(max_length=4000)] = "",
    mode: Literal["off", "only"] = "off",
) -> AblationQuery:
    """What the query or a form's ticks switch off. Raises `BadRequest`, `UnknownStep`."""
    record = checked_step(asked.run, asked.record)
    if c or more:
        text = ",".join([*map(str, c or ()), *filter(None, [more])])
        off, only = (text, "") if mode == "off" else ("", text)
    return AblationQuery(asked, parse_switch(record, off, only))


AblationQueryDep = Annotated[AblationQuery, Depends(cut)]


@router.get("/ablation")
async def panel(
    request: Request,
    cut: AblationQueryDep,
    services: ServicesDep,
    owner: OwnerDep,
    by: By = "logits",
) -> Response:
    """The switches, what they did, and room for the ranking."""
    if "c" in request.query_params and not by_htmx(request):
        query = cut.asked.query(**pane.named(cut.switch))
        return RedirectResponse(f"/cut/ablation?{query}", 303)
    context = pane.cut_panel(cut.asked, cut.switch, await _changes(cut, services, owner), by)
    return answer(request, "partials/cut/_ablation.html", cut.asked, context)


@router.get("/ablation/result")
async def result(
    request: Request, cut: AblationQueryDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """What the switches did, alone."""
    made = pane.cut_result(cut.asked, cut.switch, await _changes(cut, services, owner))
    context = {"result": as_dict(made), "plain": False, "quick": pane.quick(cut.asked, cut.switch)}
    return render(request, "partials/cut/_switched.html", context)


@router.get("/ablation.png")
async def png(cut: AblationQueryDep, services: ServicesDep, owner: OwnerDep) -> Response:
    """It as a picture."""
    changes = await _changes(cut, services, owner)
    made = await asyncio.to_thread(pane.picture, cut.asked, cut.switch, changes)
    return file_response(made, "image/png", False, f"{_name(cut.asked)}-off.png")


@router.get("/ablation.csv")
async def csv(cut: AblationQueryDep, services: ServicesDep, owner: OwnerDep) -> Response:
    """Every class, or every channel of the last step, before and after."""
    changes = await _changes(cut, services, owner)
    head, rows = pane.table_rows(cut.asked.run, changes[0])
    return csv_response(head, rows, f"{_name(cut.asked)}-off.csv")


@router.get("/ablation/ranking")
async def ranking(
    request: Request,
    asked: UnitQueryDep,
    services: ServicesDep,
    owner: OwnerDep,
    by: By = "logits",
    start: bool = False,
) -> Response:
    """The ranking where it is kept or takes no time; else it comes by stream once asked for."""
    index = _checked(asked)
    found = cached_ranking(services.cuts, asked.run, asked.record, index)
    quick = is_cheap(asked.run.model) or not by_htmx(request)
    if found is None and start and quick:
        found = await finished_ranking(asked, services, owner)
    count = len(asked.record.statistics.peaks)
    empty = AblationRanking(torch.zeros(count), torch.zeros(count), 0)
    context = {
        "rank": as_dict(pane.rank_panel(asked, found or empty, by)),
        "live": found is None and start,
        "events": f"/cut/ablation/events?{asked.query(by=by)}",
        "again": f"/cut/ablation/ranking?{asked.query(by=by)}&start=true",
        "plain": not by_htmx(request),
    }
    if by_htmx(request):
        return render(request, "partials/cut/_ranking.html", context)
    home = asked.view.url(step=asked.record.step.name, channel=asked.channel)
    page = {"template": "partials/cut/_ranking.html", "home": home, "title": asked.title}
    return render(request, "pages/cut.html", {**context, **page, "asked": asked})


async def queued(
    asked: UnitQueryDep, services: ServicesDep, owner: OwnerDep, by: By = "logits"
) -> AsyncIterator[QueuedRanking]:
    """The job, held until its stream has ended."""
    index = _checked(asked)
    place, items = await started(lambda: _rank(asked, index, services, owner))
    try:
        yield QueuedRanking(asked, by, place, items)
    finally:
        await items.aclose()  # type: ignore[attr-defined]


@router.get("/ablation/events", response_class=EventSourceResponse)
async def events(job: Annotated[QueuedRanking, Depends(queued)]) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, the ranking as it grows, `done`."""

    def write(found: AblationRanking) -> tuple[str, str]:
        made = pane.rank_panel(job.asked, found, job.by)
        text = render_text("partials/cut/_ranks.html", {"rank": as_dict(made)})
        return text, str(found.done)

    async for event in event_stream(job.place, job.items, write):
        yield event


async def _changes(cut: AblationQuery, services: Services, owner: str) -> list[StepChange]:
    run, record = cut.asked.run, cut.asked.record
    switches = [cut.switch, ALL_OFF]
    return await ablate(services.engine, owner, run, record, switches)


def _name(asked: UnitQuery) -> str:
    view = asked.view
    return f"{view.model}-{view.image[:12]}-{asked.record.step.name}"
