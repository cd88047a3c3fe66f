"""The brush: what is covered, what that does, and the covered picture as one's own."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.pictures.preprocess import input_png
from app.services.brush import Brushed, Stroke, brush, covered
from app.services.mask import Mask
from app.vision.cover import How
from app.web.api.answers import kept, table
from app.web.contexts import as_dict
from app.web.cut.asked import Asked, AskedDep
from app.web.cut.page import answer
from app.web.htmx import by_htmx
from app.web.links import View
from app.web.panes import cover as pane
from app.web.state import OwnerDep, Services, ServicesDep
from app.web.templating import render

router = APIRouter()

MaskText = Annotated[str, Query(max_length=100, description="Covered cells.")]


def stroke(
    cover: MaskText = "",
    how: How = "grey",
    cell: Annotated[list[int] | None, Query(max_length=256)] = None,
) -> Stroke:
    """What the request covers: a mask, or cells that a form ticks. Raises `BadRequest`."""
    return Stroke(Mask.of(cell) if cell else Mask.read(cover), how)


StrokeDep = Annotated[Stroke, Depends(stroke)]


@router.get("/cover")
async def panel(
    request: Request, asked: AskedDep, stroke: StrokeDep, services: ServicesDep
) -> Response:
    """The brush with what it did. A form's ticks become a link that can be passed on."""
    if "cell" in request.query_params and not by_htmx(request):
        return RedirectResponse(f"/cut/cover?{asked.query(**pane.named(stroke))}", 303)
    found = await _brushed(services, asked, stroke)
    return answer(
        request, "partials/cut/_cover.html", asked, pane.cover_panel(asked, stroke, found)
    )


@router.get("/cover/live")
async def live(
    request: Request, asked: AskedDep, stroke: StrokeDep, services: ServicesDep
) -> Response:
    """What a stroke did, alone."""
    found = await _brushed(services, asked, stroke)
    context = {"result": as_dict(pane.covered(asked, stroke, found)), "plain": False}
    return render(request, "partials/cut/_covered.html", context)


@router.get("/cover.png")
async def png(asked: AskedDep, stroke: StrokeDep, services: ServicesDep) -> Response:
    """All of it as a picture."""
    found = await _brushed(services, asked, stroke)
    made = await asyncio.to_thread(pane.picture, asked, stroke, found)
    return kept(made, "image/png", False, f"{_name(asked)}-covered.png")


@router.get("/cover.csv")
async def csv(asked: AskedDep, stroke: StrokeDep, services: ServicesDep) -> Response:
    """The map cell by cell, then the classes."""
    found = await _brushed(services, asked, stroke)
    head = ("step or class", "channel or index", "row", "column", "before", "covered", "change")
    return table(head, pane.table_rows(asked, found), f"{_name(asked)}-covered.csv")


@router.post("/cover")
async def use(
    services: ServicesDep,
    owner: OwnerDep,
    model: Annotated[str, Form()],
    image: Annotated[str, Form()],
    step: Annotated[str, Form()],
    channel: Annotated[int, Form(ge=0)],
    cover: Annotated[str, Form()] = "",
    how: Annotated[How, Form()] = "grey",
) -> Response:
    """Keep the covered picture as one of this browser's own, and show it."""
    wanted = Stroke(Mask.read(cover), how)
    async with services.runs.listen(model, image) as run:
        png = input_png(await asyncio.to_thread(covered, run, wanted))
        name = f"covered with {pane.WORDS[how]}"
        stored = await asyncio.to_thread(services.pictures.add, png, owner, name)
    return RedirectResponse(View(model, stored.id, step, channel).url(), 303)


async def _brushed(services: Services, asked: Asked, stroke: Stroke) -> Brushed:
    return await brush(
        services.engine, services.cuts, asked.run, asked.record, asked.channel, stroke
    )


def _name(asked: Asked) -> str:
    view = asked.view
    return f"{view.model}-{view.image[:12]}-{asked.record.step.name}-{asked.channel}"
