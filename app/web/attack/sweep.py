"""From no noise to much: a stream of points, the same kept, and its files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import Cancelled
from app.pictures.charts import chart_png
from app.services.attacks.sweeps import Sweep
from app.services.runs.pairs import load_pair
from app.vision.attacks.sweep import Method, SweepPoint
from app.web.attack.pair_panels import show
from app.web.attack.sweep_curves import attack_words, chart, how, lines, noise_words, swept
from app.web.core.file_responses import csv_response, file_response
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.streams import DONE, error_event, started
from app.web.core.templating import render_text
from app.web.parts.contexts import helped

TITLE = "From no noise to much"

router = APIRouter(prefix="/sweep")


@dataclass(frozen=True, slots=True)
class SweepPanel:
    """The panel around the points."""

    query: str = helped("What is swept, as a query string.")
    methods: tuple[tuple[str, str, bool], ...] = helped("Name, page, whether it is on screen.")
    link: str = helped("This panel on a page of its own.")


@dataclass(frozen=True, slots=True)
class SweepQuery:
    """What the query names, looked up, and the query string that names it again."""

    sweep: Sweep
    query: str


async def asked(
    services: ServicesDep,
    model: Annotated[str, Query(max_length=200)],
    image: Annotated[str, Query(max_length=200)],
    target: Annotated[str | None, Query(max_length=200)] = None,
    seed: Annotated[int, Query(ge=0, lt=2**53)] = 0,
    method: Method = "pgd",
) -> SweepQuery:
    """The sweep; what can fail fails here. An attacked picture is not needed."""
    catalogue, pictures = services.catalogue, services.pictures
    pair = await load_pair(catalogue, pictures, model, image, image, target or None, seed)
    named = {"model": model, "image": image, "target": target or "", "seed": seed, "method": method}
    query = urlencode({name: value for name, value in named.items() if value != ""})
    return SweepQuery(Sweep(pair, method), query)


AskedDep = Annotated[SweepQuery, Depends(asked)]


@dataclass(frozen=True, slots=True)
class QueuedSweep:
    """A sweep that has its place in the queue, 0 goes next; `items` is None where it is kept."""

    place: int = 0
    items: AsyncGenerator[int | SweepPoint] | None = None


async def queued(
    found: AskedDep, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedSweep]:
    """The sweep, held until its stream has ended."""
    if services.sweeps.finished(found.sweep) is not None:
        yield QueuedSweep()
        return
    with services.pictures.using(found.sweep.pair.before):
        place, items = await started(
            lambda: services.sweeps.run(services.engine, found.sweep, owner)
        )
        try:
            yield QueuedSweep(place, items)
        finally:
            await items.aclose()


@router.get("")
async def panel(
    request: Request, found: AskedDep, services: ServicesDep, owner: OwnerDep, plain: bool = False
) -> Response:
    """The panel: what is kept at once, else a stream; `plain` waits for all of it."""
    points = services.sweeps.finished(found.sweep)
    if points is None and plain:
        points = await _whole(request, found, services, owner)
    method, link = found.sweep.method, f"/attack/sweep?{found.query}"
    methods = tuple(
        (name, link.replace(f"method={method}", f"method={id}"), id == method)
        for id, name in (("pgd", "PGD"), ("fgsm", "FGSM"))
    )
    shown = None if points is None else swept(found.sweep, points, found.query, True)
    context = {"panel": SweepPanel(found.query, methods, link), "swept": shown}
    return show(request, TITLE, "attack/_sweep.html", context)


@router.get("/events", response_class=EventSourceResponse)
async def events(
    live: Annotated[QueuedSweep, Depends(queued)],
    found: AskedDep,
    services: ServicesDep,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, the chart after each point, `done`. An event's id counts points.

    A page that comes back, with how many points it saw, is sent the later ones.
    """
    seen = last_event_id or 0
    try:
        if live.items and not seen:
            text = render_text("attack/_sweep_queued.html", {"place": live.place})
            yield ServerSentEvent(raw_data=text)
        async with aclosing(_told(live, found, services, seen)) as happened:
            async for event in happened:
                yield event
    except Exception as error:
        yield error_event(error)
    yield DONE


async def _told(
    live: QueuedSweep, found: SweepQuery, services: Services, seen: int
) -> AsyncGenerator[ServerSentEvent]:
    """The chart after each point beyond `seen`, and the whole at the end."""
    points: list[SweepPoint] = []
    if live.items:
        async for item in live.items:
            if isinstance(item, SweepPoint):
                points.append(item)
                if len(points) > seen:
                    yield _event(found, points, False)
    yield _event(found, services.sweeps.finished(found.sweep) or points, True)


def _event(
    found: SweepQuery, points: list[SweepPoint] | tuple[SweepPoint, ...], done: bool
) -> ServerSentEvent:
    view = swept(found.sweep, points, found.query, done)
    text = render_text("attack/_swept.html", {"swept": view})
    return ServerSentEvent(raw_data=text, id=str(len(points)))


@router.get(".csv")
async def csv(
    request: Request, found: AskedDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """Every point and every noise, with all digits."""
    head, rows = lines(await _whole(request, found, services, owner))
    return csv_response(head, rows, "layerscope-sweep.csv")


@router.get(".png")
async def png(
    request: Request, found: AskedDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """The chart with its sentences."""
    points = await _whole(request, found, services, owner)
    sweep = found.sweep
    words = f"{attack_words(sweep, points, True)} {noise_words(points, True)} {how(sweep)}"
    drawn = await asyncio.to_thread(chart_png, TITLE, [chart(sweep, points, True)], words, 760)
    return file_response(drawn, "image/png", False, "layerscope-sweep.png")


async def _whole(
    request: Request, found: SweepQuery, services: Services, owner: str
) -> tuple[SweepPoint, ...]:
    """All points, computed now where they are not kept. Raises `Busy`, `Cancelled`."""
    if points := services.sweeps.finished(found.sweep):
        return points
    image = found.sweep.pair.before
    with services.pictures.using(image):
        _, items = await started(lambda: services.sweeps.run(services.engine, found.sweep, owner))
        async with aclosing(items) as running:
            async for _ in running:
                if services.stopping.is_set() or await request.is_disconnected():
                    raise Cancelled("The sweep was stopped before its end.")
    return services.sweeps.finished(found.sweep) or ()
