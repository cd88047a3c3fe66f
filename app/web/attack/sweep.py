"""Panel of a sweep over epsilon: the event stream of its points, the cached sweep, and files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Query, Request
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
from app.web.core.streams import (
    HtmlEvents,
    JobUpdate,
    LastEventId,
    QueuedJob,
    job_events,
    queued_job,
)
from app.web.core.templating import render_text
from app.web.core.url_view import Filled, Name, Seed, UrlView
from app.web.core.work import WorkDep
from app.web.panels.panel import AttackPanel
from app.web.parts.contexts import helped

router = APIRouter(prefix="/sweep")

PANEL = AttackPanel(
    "sweep", "From no noise to much", "How large must a change be, attack or noise?", router=router
)


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


@asynccontextmanager
async def _started(
    sweep: Sweep, services: Services, owner: str
) -> AsyncIterator[QueuedJob[SweepPoint]]:
    with services.pictures.using(sweep.pair.before):
        async with queued_job(lambda: services.sweeps.run(services.engine, sweep, owner)) as job:
            yield job


async def queued_sweep(
    query: SweepQueryDep, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedJob[SweepPoint] | None]:
    """The queued sweep, open until its stream ends; None if it is cached."""
    if services.sweeps.finished(query.sweep) is not None:
        yield None
        return
    async with _started(query.sweep, services, owner) as job:
        yield job


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
    return show(request, PANEL.title, "attack/_sweep.html", context)


@router.get("/events", response_class=EventSourceResponse)
async def events(
    job: Annotated[QueuedJob[SweepPoint] | None, Depends(queued_sweep)],
    query: SweepQueryDep,
    services: ServicesDep,
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, the chart after each point, the finished one, `done`."""
    updates, place = _updates(job, query, services), job.place if job else None
    async for event in job_events(updates, HtmlEvents(), place=place, after=last_event_id):
        yield event


async def _updates(
    job: QueuedJob[SweepPoint] | None, query: SweepQuery, services: Services
) -> AsyncGenerator[JobUpdate[str]]:
    """The chart after each point, which an event's id counts; the finished one has the next id."""
    points: list[SweepPoint] = []
    if job:
        async for point in job.items:
            points.append(point)
            yield JobUpdate(len(points), _chart(query, points, False))
    found = services.sweeps.finished(query.sweep) or tuple(points)
    yield JobUpdate(len(found) + 1, _chart(query, found, True))


def _chart(query: SweepQuery, points: Sequence[SweepPoint], done: bool) -> str:
    view = swept(query.sweep, points, query.query, done)
    return render_text("attack/_swept.html", {"swept": view})


@router.get(".csv")
async def csv(
    request: Request, query: SweepQueryDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """Every point and every noise, with all digits."""
    head, rows = lines(await _finished_sweep(request, query, services, owner))
    return csv_response(head, rows, "layerscope-sweep.csv")


@router.get(".png")
async def png(
    request: Request, side: WorkDep, query: SweepQueryDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """The chart with its sentences."""
    points = await _finished_sweep(request, query, services, owner)
    sweep = query.sweep
    words = f"{attack_words(sweep, points, True)} {noise_words(points, True)} {how(sweep)}"
    drawn = await side(chart_png, PANEL.title, [chart(sweep, points, True)], words, 760)
    return file_response(drawn, "image/png", False, "layerscope-sweep.png")


async def _finished_sweep(
    request: Request, query: SweepQuery, services: Services, owner: str
) -> tuple[SweepPoint, ...]:
    """All points, computed now if they are not cached. Raises `Busy`, `Cancelled`."""
    if points := services.sweeps.finished(query.sweep):
        return points
    async with _started(query.sweep, services, owner) as job:
        async for _ in job.items:
            if services.stopping.is_set() or await request.is_disconnected():
                raise Cancelled("The sweep was stopped before its end.")
    return services.sweeps.finished(query.sweep) or ()
