"""Runs an attack and streams its steps: one run for each user, stopped at any time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import BadRequest
from app.services.attacks.attacks import Attack
from app.services.attacks.job import AttackMoment
from app.services.attacks.traces import Outcome, Trace, key_of, store_result
from app.web.attack.page import title
from app.web.attack.steps import attack_frame
from app.web.attack.summary import ending
from app.web.attack.view import AttackView, read
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.streams import (
    HtmlEvents,
    JobUpdate,
    LastEventId,
    QueuedJob,
    job_events,
    queued_job,
)
from app.web.core.templating import render_text
from app.web.panels.panel import Panel, PanelsDep

router = APIRouter()


@dataclass(frozen=True, slots=True)
class QueuedAttack:
    """An attack to run, or, without a job, one that is cached."""

    view: AttackView
    attack: Attack
    key: str
    panels: tuple[Panel, ...]
    job: QueuedJob[AttackMoment | Outcome] | None = None


async def queued_attack(
    request: Request, services: ServicesDep, owner: OwnerDep, panels: PanelsDep
) -> AsyncIterator[QueuedAttack]:
    """The queued attack, open until its stream ends; errors are raised before it begins."""
    query = read(request.query_params, services.settings.model)
    if query.problem:
        raise BadRequest(query.problem)
    view = query.view
    prepared = await services.attacks.prepare(view.model, view.image, view.request)
    view, key = view.spelled(prepared.options), key_of(prepared, view.image)
    if services.traces.finished(key):
        yield QueuedAttack(view, prepared, key, panels)
        return
    with services.pictures.using(view.image):
        started: AbstractAsyncContextManager[QueuedJob[AttackMoment | Outcome]] = queued_job(
            lambda: services.traces.run(services.attacks, prepared, view.image, owner)
        )
        async with started as job:
            yield QueuedAttack(view, prepared, key, panels, job)


@router.get("/events", response_class=EventSourceResponse)
async def events(
    queued: Annotated[QueuedAttack, Depends(queued_attack)],
    services: ServicesDep,
    owner: OwnerDep,
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, each step, the result, `done`. An event's id is its step."""
    job = queued.job
    if job:
        place, updates = job.place, _running(queued, job.items, services, owner)
    else:
        place, updates = None, _cached(queued, services, owner)
    write = HtmlEvents(queue="#queue")
    async for event in job_events(updates, write, place=place, after=last_event_id):
        yield event


@router.post("/stop", status_code=204)
async def stop(services: ServicesDep, owner: OwnerDep) -> Response:
    """Stop the user's own attack after the current step; its stream shows the result so far."""
    services.traces.stop(owner)
    return Response(status_code=204)


async def _running(
    queued: QueuedAttack,
    moments: AsyncGenerator[AttackMoment | Outcome],
    services: Services,
    owner: str,
) -> AsyncGenerator[JobUpdate[str]]:
    """The updates of a running attack."""
    number = 0
    async for item in moments:
        trace = services.traces.latest(owner)
        if isinstance(item, Outcome):
            yield _ended(queued, trace, number)
        else:
            yield _step(queued, trace, number)
            number += 1


async def _cached(
    queued: QueuedAttack, services: Services, owner: str
) -> AsyncGenerator[JobUpdate[str]]:
    """The updates of a cached trace."""
    trace = services.traces.find(queued.key)
    await store_result(trace, services.pictures, owner, title(queued.view))
    count = len(trace.moments)
    for number in range(count):
        yield _step(queued, trace, number)
    yield _ended(queued, trace, count)


def _step(queued: QueuedAttack, trace: Trace, number: int) -> JobUpdate[str]:
    context = {"shot": attack_frame(queued.view, trace, number)}
    return JobUpdate(number, render_text("attack/_shot.html", context))


def _ended(queued: QueuedAttack, trace: Trace, number: int) -> JobUpdate[str]:
    made = ending(queued.view, queued.attack.model, trace, queued.panels)
    context = {"ending": made, "view": queued.view}
    return JobUpdate(number, render_text("attack/_ended.html", context), final=True)
