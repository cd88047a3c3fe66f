"""The occlusion map: its panel, and its rows as they are computed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.services.occluded import Fill, Laid, Occlusion, checked_patch, rows, so_far
from app.web.contexts import as_dict
from app.web.cut.asked import Asked, AskedDep
from app.web.cut.page import answer
from app.web.cut.streaming import told
from app.web.htmx import by_htmx
from app.web.panes import occlusion as pane
from app.web.state import OwnerDep, Services, ServicesDep
from app.web.templating import render_text
from app.web.turns import begun

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Question:
    """A unit or class of a run, and the patch that is slid."""

    asked: Asked
    wanted: Occlusion
    of: pane.Of


@dataclass(frozen=True, slots=True)
class Job:
    """A question that has its place in the queue: 0 goes next."""

    question: Question
    place: int
    items: AsyncIterator[int | Laid]


def question(
    asked: AskedDep,
    patch: Annotated[int | None, Query(description="Side, pixels.")] = None,
    stride: Annotated[int | None, Query(description="Pixels from place to place.")] = None,
    fill: Fill = "grey",
    of: pane.Of = "unit",
) -> Question:
    """What a request asks. Raises `BadRequest`, `NoClassifier`."""
    chosen = checked_patch(asked.run.model, patch, stride)
    return Question(asked, pane.question(asked, chosen, fill, of), of)


QuestionDep = Annotated[Question, Depends(question)]


async def queued(
    question: QuestionDep, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[Job]:
    """The job, held until its stream has ended."""
    place, items = await begun(lambda: _rows(question, services, owner))
    try:
        yield Job(question, place, items)
    finally:
        await items.aclose()  # type: ignore[attr-defined]


@router.get("/occlusion")
async def panel(
    request: Request,
    question: QuestionDep,
    services: ServicesDep,
    owner: OwnerDep,
    start: bool = False,
) -> Response:
    """The choices, and the map as far as it is; with `start` the rest comes by stream.

    Without scripts the whole map is waited for.
    """
    asked, wanted = question.asked, question.wanted
    laid = so_far(services.cuts, asked.run, wanted)
    if start and not by_htmx(request):
        laid = await whole(question, services, owner)
    context = pane.occlusion_panel(asked, wanted, question.of, laid, start)
    return answer(request, "partials/cut/_occlusion.html", asked, context)


@router.get("/occlusion/events", response_class=EventSourceResponse)
async def events(job: Annotated[Job, Depends(queued)]) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, the map after each row, `done`. It goes on where it was stopped."""

    def write(laid: Laid) -> tuple[str, str]:
        one = job.question
        made = pane.heat(one.asked, one.wanted, one.of, laid)
        text = render_text("partials/cut/_heat.html", {"heat": as_dict(made)})
        return text, str(laid.done)

    async for event in told(job.place, job.items, write):
        yield event


async def whole(question: Question, services: Services, owner: str) -> Laid:
    """The finished map, computed now where it is not kept. Raises `Busy`."""
    laid = so_far(services.cuts, question.asked.run, question.wanted)
    if laid.finished:
        return laid
    async with aclosing(_rows(question, services, owner)) as items:  # type: ignore[type-var]
        async for item in items:
            if isinstance(item, Laid):
                laid = item
    return laid


def _rows(question: Question, services: Services, owner: str) -> AsyncIterator[int | Laid]:
    run = question.asked.run
    return rows(services.engine, services.cuts, owner, run, question.wanted)
