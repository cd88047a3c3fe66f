"""Runs an attack and streams its steps: one run for each user, stopped at any time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
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
from app.web.core.streams import DONE, error_event, start_job
from app.web.core.templating import render_text

router = APIRouter()


@dataclass(frozen=True, slots=True)
class QueuedAttack:
    """An attack with its place in the queue (0 is next); `items` is None if it is cached."""

    view: AttackView
    attack: Attack
    key: str
    place: int = 0
    items: AsyncGenerator[int | AttackMoment | Outcome] | None = None


async def queued_attack(
    request: Request, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedAttack]:
    """The queued attack, open until its stream ends; errors are raised before it begins."""
    query = read(request.query_params, services.settings.model)
    if query.problem:
        raise BadRequest(query.problem)
    view = query.view
    prepared = await services.attacks.prepare(view.model, view.image, view.request)
    view, key = view.spelled(prepared.options), key_of(prepared, view.image)
    if services.traces.finished(key):
        yield QueuedAttack(view, prepared, key)
        return
    with services.pictures.using(view.image):
        place, items = await start_job(
            lambda: services.traces.run(services.attacks, prepared, view.image, owner)
        )
        try:
            yield QueuedAttack(view, prepared, key, place, items)
        finally:
            await items.aclose()


@router.get("/events", response_class=EventSourceResponse)
async def events(
    job: Annotated[QueuedAttack, Depends(queued_attack)],
    services: ServicesDep,
    owner: OwnerDep,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, each step, the result, `done`. An event's id is its step.

    A page that reconnects sends the id of its last event and gets only the later ones.
    """
    seen = -1 if last_event_id is None else last_event_id
    stream = _running_events if job.items else _cached_events
    try:
        async with aclosing(stream(job, services, owner, seen)) as happened:
            async for event in happened:
                yield event
    except Exception as error:
        yield error_event(error)
    yield DONE


@router.post("/stop", status_code=204)
async def stop(services: ServicesDep, owner: OwnerDep) -> Response:
    """Stop the user's own attack after the current step; its stream shows the result so far."""
    services.traces.stop(owner)
    return Response(status_code=204)


async def _running_events(
    job: QueuedAttack, services: Services, owner: str, seen: int
) -> AsyncGenerator[ServerSentEvent]:
    """The events of a running attack."""
    if seen < 0:
        text = render_text("attack/_queued.html", {"place": job.place})
        yield ServerSentEvent(raw_data=text)
    number = 0
    if job.items is None:
        return
    async for item in job.items:
        trace = services.traces.latest(owner)
        if isinstance(item, Outcome):
            yield _ended(job, trace, number)
        elif isinstance(item, AttackMoment):
            if number > seen:
                yield _step(job, trace, number)
            number += 1


async def _cached_events(
    job: QueuedAttack, services: Services, owner: str, seen: int
) -> AsyncGenerator[ServerSentEvent]:
    """The events of a cached trace, from the step after `seen` on."""
    trace = services.traces.find(job.key)
    await store_result(trace, services.pictures, owner, title(job.view))
    count = len(trace.moments)
    for number in range(seen + 1, count):
        yield _step(job, trace, number)
    if seen < count:
        yield _ended(job, trace, count)


def _step(job: QueuedAttack, trace: Trace, number: int) -> ServerSentEvent:
    context = {"shot": attack_frame(job.view, trace, number)}
    return ServerSentEvent(raw_data=render_text("attack/_shot.html", context), id=str(number))


def _ended(job: QueuedAttack, trace: Trace, number: int) -> ServerSentEvent:
    made = ending(job.view, job.attack.model, trace)
    text = render_text("attack/_ended.html", {"ending": made, "view": job.view})
    return ServerSentEvent(raw_data=text, id=str(number))
