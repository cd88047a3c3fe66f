"""An attack as it runs: a stream of its steps, one run a person, stopped at any time."""

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
from app.web.attack.steps import shot
from app.web.attack.summary import ending
from app.web.attack.view import AttackView, read
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.streams import DONE, error_event, started
from app.web.core.templating import render_text

router = APIRouter()


@dataclass(frozen=True, slots=True)
class QueuedAttack:
    """An attack that has its place in the queue, 0 goes next; `items` is None where it is kept."""

    view: AttackView
    attack: Attack
    key: str
    place: int = 0
    items: AsyncGenerator[int | AttackMoment | Outcome] | None = None


async def queued(
    request: Request, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedAttack]:
    """The run, held until its stream has ended: what can fail fails before it begins."""
    asked = read(request.query_params, services.settings.model)
    if asked.problem:
        raise BadRequest(asked.problem)
    view = asked.view
    prepared = await services.attacks.prepare(view.model, view.image, view.request)
    view, key = view.spelled(prepared.options), key_of(prepared, view.image)
    if services.traces.finished(key):
        yield QueuedAttack(view, prepared, key)
        return
    with services.pictures.using(view.image):
        place, items = await started(
            lambda: services.traces.run(services.attacks, prepared, view.image, owner)
        )
        try:
            yield QueuedAttack(view, prepared, key, place, items)
        finally:
            await items.aclose()


@router.get("/events", response_class=EventSourceResponse)
async def events(
    live: Annotated[QueuedAttack, Depends(queued)],
    services: ServicesDep,
    owner: OwnerDep,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, each step, what came of it, `done`. An event's id is its step.

    A page that comes back, with the last step it saw, is sent the later ones.
    """
    seen = -1 if last_event_id is None else last_event_id
    told = _told if live.items else _kept
    try:
        async with aclosing(told(live, services, owner, seen)) as happened:
            async for event in happened:
                yield event
    except Exception as error:
        yield error_event(error)
    yield DONE


@router.post("/stop", status_code=204)
async def stop(services: ServicesDep, owner: OwnerDep) -> Response:
    """One's own attack ends after the step at hand, with what it has; its stream tells."""
    services.traces.stop(owner)
    return Response(status_code=204)


async def _told(
    live: QueuedAttack, services: Services, owner: str, seen: int
) -> AsyncGenerator[ServerSentEvent]:
    """What happens, as it is computed."""
    if seen < 0:
        text = render_text("attack/_queued.html", {"place": live.place})
        yield ServerSentEvent(raw_data=text)
    number = 0
    if live.items is None:
        return
    async for item in live.items:
        trace = services.traces.latest(owner)
        if isinstance(item, Outcome):
            yield _ended(live, trace, number)
        elif isinstance(item, AttackMoment):
            if number > seen:
                yield _step(live, trace, number)
            number += 1


async def _kept(
    live: QueuedAttack, services: Services, owner: str, seen: int
) -> AsyncGenerator[ServerSentEvent]:
    """All of a trace that is kept, from the step after `seen` on."""
    trace = services.traces.find(live.key)
    await store_result(trace, services.pictures, owner, title(live.view))
    count = len(trace.moments)
    for number in range(seen + 1, count):
        yield _step(live, trace, number)
    if seen < count:
        yield _ended(live, trace, count)


def _step(live: QueuedAttack, trace: Trace, number: int) -> ServerSentEvent:
    context = {"shot": shot(live.view, trace, number)}
    return ServerSentEvent(raw_data=render_text("attack/_shot.html", context), id=str(number))


def _ended(live: QueuedAttack, trace: Trace, number: int) -> ServerSentEvent:
    made = ending(live.view, live.attack.model, trace)
    text = render_text("attack/_ended.html", {"ending": made, "view": live.view})
    return ServerSentEvent(raw_data=text, id=str(number))
