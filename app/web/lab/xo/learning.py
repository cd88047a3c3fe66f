"""Trains the tiny network's kernels live: an event stream of steps, one run for each user."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import BadRequest
from app.vision.tiny_network.learn import EVERY, Learned, check, learn
from app.vision.tiny_network.network import Match, TinyLayer, to_text
from app.web.core.base_path import base
from app.web.core.htmx import by_htmx
from app.web.core.state import OwnerDep, ServicesDep
from app.web.core.streams import (
    HtmlEvents,
    JobUpdate,
    LastEventId,
    QueuedJob,
    job_events,
    queued_job,
)
from app.web.core.templating import percent, render, render_text
from app.web.lab.xo.state import as_text, read
from app.web.lab.xo.vote_weights import examples
from app.web.lab.xo.words import leakage_words, signed
from app.web.parts.contexts import as_dict
from app.web.parts.number_grids import Grid, grid

router = APIRouter()

SEEDS = 999

Seed = Annotated[int, Query(ge=0, le=SEEDS, description="Seed of the random kernels.")]


@dataclass(frozen=True, slots=True)
class LearningPlan:
    """A training run to start."""

    layers: tuple[TinyLayer, ...]
    match: Match
    seed: int


@dataclass(frozen=True, slots=True)
class LearnView:
    """One training step."""

    step: int
    steps: int
    loss: str  # on boards that it does not learn from
    accuracy: str  # on boards that it does not learn from
    curve: str  # the loss so far, as an SVG path on 300 by 100
    kernels: tuple[Grid, ...]
    use: str  # the kernels as the form sends them
    ending: tuple[str, str]  # the result, and what it would seem with known boards; at the end


def planned(request: Request, seed: Seed = 0) -> LearningPlan:
    """The training run of a query. Raises `BadRequest` if it cannot be trained."""
    asked = read(request.query_params)
    if asked.problems:
        raise BadRequest(asked.problems[0])
    try:
        check(asked.state.layers)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return LearningPlan(asked.state.layers, asked.state.match, seed)


PlanDep = Annotated[LearningPlan, Depends(planned)]


async def queued_learning(
    plan: PlanDep, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedJob[Learned]]:
    """The queued run, open until its stream ends; errors are raised before it begins."""
    async with queued_job(
        lambda: services.engine.stream(
            owner, lambda: learn(plan.layers, plan.match, examples(), plan.seed)
        )
    ) as job:
        yield job


@router.get("/xo/learn")
async def panel(request: Request, plan: PlanDep) -> Response:
    """The panel that opens the event stream; without htmx, the page."""
    query = f"layers={to_text(plan.layers)}&match={plan.match}"
    if not by_htmx(request):
        return RedirectResponse(f"{base()}/lab/xo?{query}", 303)
    again = f"{query}&seed={(plan.seed + 1) % (SEEDS + 1)}"
    context = {"query": f"{query}&seed={plan.seed}", "again": again, "seed": plan.seed}
    return render(request, "lab/xo/_learn.html", context)


@router.get("/xo/events", response_class=EventSourceResponse)
async def events(
    job: Annotated[QueuedJob[Learned], Depends(queued_learning)],
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, each training step, `done`. An event's id is its step."""
    updates = _updates(job.items)
    async for event in job_events(updates, HtmlEvents(), place=job.place, after=last_event_id):
        yield event


async def _updates(steps: AsyncGenerator[Learned]) -> AsyncGenerator[JobUpdate[str]]:
    losses: list[float] = []
    async for item in steps:
        losses.append(item.loss)
        text = render_text("lab/xo/_learning.html", as_dict(_view(item, losses)))
        yield JobUpdate(item.step, text)


def _view(item: Learned, losses: Sequence[float]) -> LearnView:
    rounded = (item.kernels * 100).round() / 100
    limit = float(rounded.abs().max())
    return LearnView(
        item.step,
        item.steps,
        f"{item.loss:.3f}",
        percent(item.accuracy),
        _curve(losses, item.steps),
        tuple(
            grid(f"learned-{i}", f"Kernel {i}", k, limit=limit, text=lambda v: signed(f"{v:.1f}"))
            for i, k in enumerate(rounded)
        ),
        as_text(tuple(rounded.flatten().tolist())),
        _ending(item) if item.step == item.steps else ("", ""),
    )


def _ending(item: Learned) -> tuple[str, str]:
    """What it learned, on new boards, and the figure that known boards would give."""
    boards = examples()
    of = len(boards.unchecked)
    known = boards.unchecked.count_in(boards.training)
    return (
        f"Learned: {percent(item.accuracy)} of {len(boards.unseen)} boards that it has not seen "
        "are recognised correctly.",
        leakage_words(known, of, item.accuracy, item.unchecked),
    )


def _curve(losses: Sequence[float], steps: int) -> str:
    """The losses as a path from left to right; the top is the largest so far."""
    top, reports = max(losses) or 1.0, steps // EVERY
    points = (f"{300 * i / reports:.1f} {100 - 96 * v / top:.1f}" for i, v in enumerate(losses))
    return "M" + "L".join(points)
