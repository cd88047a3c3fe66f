"""Panel of a sweep over epsilon: the event stream of its points, the cached sweep, and files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import Cancelled
from app.pictures.charts import chart_png
from app.services.attacks.sweeps import Sweep
from app.services.runs.pairs import load_pair
from app.vision.attacks.sweep import Method, SweepPoint
from app.web.attack.pair_query import show
from app.web.attack.sweep_curves import attack_words, chart, how, lines, noise_words, swept
from app.web.core.file_responses import csv_response, file_response
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.streams import DONE, error_event, start_job
from app.web.core.templating import render_text
from app.web.core.url_view import Filled, Name, Seed, UrlView
from app.web.parts.contexts import helped

TITLE = "From no noise to much"

router = APIRouter(prefix="/sweep")


@dataclass(frozen=True, slots=True)
class SweepPanel:
    """The panel around the curves."""

    query: str = helped("The sweep as a query string.")
    methods: tuple[tuple[str, str, bool], ...] = helped("Name, page, whether it is on screen.")
    link: str = helped("This panel on a page of its own.")


class EpsilonSweepView(UrlView):
    """What the panel's URL says: a network, a picture, and the attack that grows."""

    page: ClassVar[str] = "/attack/sweep"
    always: ClassVar[frozenset[str]] = frozenset({"seed", "method"})

    model: Name
    image: Name
    target: Annotated[Name | None, Filled] = None
    seed: Seed = 0
    method: Method = "pgd"


@dataclass(frozen=True, slots=True)
class SweepQuery:
    """A validated sweep, and its URL."""

    sweep: Sweep
    view: EpsilonSweepView

    @property
    def query(self) -> str:
        """The sweep as a query string."""
        return self.view.query()


async def sweep_query(
    services: ServicesDep, view: Annotated[EpsilonSweepView, Query()]
) -> SweepQuery:
    """The validated sweep; errors are raised here. No attacked picture is needed."""
    pair = await load_pair(
        services.catalogue,
        services.pictures,
        view.model,
        view.image,
        view.image,
        view.target,
        view.seed,
    )
    return SweepQuery(Sweep(pair, view.method), view)


SweepQueryDep = Annotated[SweepQuery, Depends(sweep_query)]


@dataclass(frozen=True, slots=True)
class QueuedSweep:
    """A sweep with its place in the queue (0 is next); `items` is None if it is cached."""

    place: int = 0
    items: AsyncGenerator[int | SweepPoint] | None = None


async def queued_sweep(
    query: SweepQueryDep, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedSweep]:
    """The queued sweep, open until its stream ends."""
    if services.sweeps.finished(query.sweep) is not None:
        yield QueuedSweep()
        return
    with services.pictures.using(query.sweep.pair.before):
        place, items = await start_job(
            lambda: services.sweeps.run(services.engine, query.sweep, owner)
        )
        try:
            yield QueuedSweep(place, items)
        finally:
            await items.aclose()


@router.get("")
async def panel(
    request: Request,
    query: SweepQueryDep,
    services: ServicesDep,
    owner: OwnerDep,
    plain: bool = False,
) -> Response:
    """The panel: a cached sweep at once, else a stream; `plain` waits for the whole sweep."""
    points = services.sweeps.finished(query.sweep)
    if points is None and plain:
        points = await _finished_sweep(request, query, services, owner)
    named: tuple[tuple[Method, str], ...] = (("pgd", "PGD"), ("fgsm", "FGSM"))
    methods = tuple(
        (name, query.view.url(method=id), id == query.sweep.method) for id, name in named
    )
    shown = None if points is None else swept(query.sweep, points, query.query, True)
    context = {"panel": SweepPanel(query.query, methods, query.view.url()), "swept": shown}
    return show(request, TITLE, "attack/_sweep.html", context)


@router.get("/events", response_class=EventSourceResponse)
async def events(
    job: Annotated[QueuedSweep, Depends(queued_sweep)],
    query: SweepQueryDep,
    services: ServicesDep,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, the chart after each point, `done`. An event's id counts points.

    A page that reconnects sends how many points it has and gets only the later ones.
    """
    seen = last_event_id or 0
    try:
        if job.items and not seen:
            text = render_text("attack/_sweep_queued.html", {"place": job.place})
            yield ServerSentEvent(raw_data=text)
        async with aclosing(_sweep_events(job, query, services, seen)) as happened:
            async for event in happened:
                yield event
    except Exception as error:
        yield error_event(error)
    yield DONE


async def _sweep_events(
    job: QueuedSweep, query: SweepQuery, services: Services, seen: int
) -> AsyncGenerator[ServerSentEvent]:
    """The chart after each point beyond `seen`, and the finished one at the end."""
    points: list[SweepPoint] = []
    if job.items:
        async for item in job.items:
            if isinstance(item, SweepPoint):
                points.append(item)
                if len(points) > seen:
                    yield _event(query, points, False)
    yield _event(query, services.sweeps.finished(query.sweep) or points, True)


def _event(
    query: SweepQuery, points: list[SweepPoint] | tuple[SweepPoint, ...], done: bool
) -> ServerSentEvent:
    view = swept(query.sweep, points, query.query, done)
    text = render_text("attack/_swept.html", {"swept": view})
    return ServerSentEvent(raw_data=text, id=str(len(points)))


@router.get(".csv")
async def csv(
    request: Request, query: SweepQueryDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """Every point and every noise, with all digits."""
    head, rows = lines(await _finished_sweep(request, query, services, owner))
    return csv_response(head, rows, "layerscope-sweep.csv")


@router.get(".png")
async def png(
    request: Request, query: SweepQueryDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """The chart with its sentences."""
    points = await _finished_sweep(request, query, services, owner)
    sweep = query.sweep
    words = f"{attack_words(sweep, points, True)} {noise_words(points, True)} {how(sweep)}"
    drawn = await asyncio.to_thread(chart_png, TITLE, [chart(sweep, points, True)], words, 760)
    return file_response(drawn, "image/png", False, "layerscope-sweep.png")


async def _finished_sweep(
    request: Request, query: SweepQuery, services: Services, owner: str
) -> tuple[SweepPoint, ...]:
    """All points, computed now if they are not cached. Raises `Busy`, `Cancelled`."""
    if points := services.sweeps.finished(query.sweep):
        return points
    image = query.sweep.pair.before
    with services.pictures.using(image):
        _, items = await start_job(lambda: services.sweeps.run(services.engine, query.sweep, owner))
        async with aclosing(items) as running:
            async for _ in running:
                if services.stopping.is_set() or await request.is_disconnected():
                    raise Cancelled("The sweep was stopped before its end.")
    return services.sweeps.finished(query.sweep) or ()
