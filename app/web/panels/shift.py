"""Panel of a shifted picture (translation equivariance): a map before and after pooling."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app.errors import BadRequest, UnknownStep
from app.pictures.preprocess import input_png
from app.services.runs.arithmetic import checked_channel
from app.services.runs.run import Run
from app.vision.shift import relative_change, shifted, unchanged_cells
from app.web.core.htmx import by_htmx
from app.web.core.links import View, sheet_url
from app.web.core.state import OwnerDep, ServicesDep
from app.web.core.templating import render
from app.web.parts.contexts import as_dict, helped

router = APIRouter(include_in_schema=False)

FARTHEST = 8
"""Largest shift of a picture, pixels."""

_BY = re.compile(r"(-?\d{1,2}),(-?\d{1,2})")


@dataclass(frozen=True, slots=True)
class ShiftedMap:
    """One map for both pictures."""

    step: str
    before: str  # URL
    after: str  # URL
    size: tuple[int, int]  # rows and columns
    change: float  # relative L2 distance of the two
    kept: int  # cells that changed by less than a twentieth of the largest
    count: int  # cells of the map


@dataclass(frozen=True, slots=True)
class ShiftPanel:
    """The effect of a shift on a pooling and on its input."""

    words: str = helped("The shift in words.")
    maps: tuple[ShiftedMap, ...] = helped("Before pooling, after pooling.")
    url: str = helped("The page of the shifted picture.")


@router.post("/shift")
async def shift(
    request: Request,
    services: ServicesDep,
    owner: OwnerDep,
    model: Annotated[str, Form()],
    image: Annotated[str, Form()],
    step: Annotated[str, Form()],
    channel: Annotated[int, Form(ge=0)],
    by: Annotated[str, Form()],
) -> Response:
    """Shift the network's input; the shifted picture is stored as an upload of this browser."""
    dx, dy = offset(by)
    async with services.runs.listen(model, image) as run:
        record = await run.record(step)
        if record.step.kind != "maxpool":
            raise UnknownStep(f"{step} is not a max pooling.")
        checked_channel(record, channel)
        words = in_words(dx, dy)
        png = input_png(shifted(run.fitted.pixels, dx, dy))
        stored = await asyncio.to_thread(services.pictures.add, png, owner, f"shifted {words}")
        async with services.runs.listen(model, stored.id) as other:
            await other.record(step)
            names = (record.step.inputs[0], step)
            views = View(model=model, image=image), View(model=model, image=stored.id)
            maps = tuple(_moved(views, run, other, name, channel) for name in names)
    url = View(model=model, image=stored.id, step=step, channel=channel, zoom="arithmetic").url()
    if not by_htmx(request):
        return RedirectResponse(url, 303)
    return render(
        request, "partials/arithmetic/_shifted.html", as_dict(ShiftPanel(words, maps, url))
    )


def offset(by: str) -> tuple[int, int]:
    """Parse `1,0` as pixels to the right and down. Raises `BadRequest`."""
    match = _BY.fullmatch(by)
    dx, dy = (int(match[1]), int(match[2])) if match else (0, 0)
    if max(abs(dx), abs(dy)) not in range(1, FARTHEST + 1):
        raise BadRequest(f"A picture is shifted by 1 to {FARTHEST} pixels: `1,0` is right by one.")
    return dx, dy


def in_words(dx: int, dy: int) -> str:
    """`1 px right`, `2 px left and 1 px down`."""
    across = f"{abs(dx)} px {'right' if dx > 0 else 'left'}" if dx else ""
    down = f"{abs(dy)} px {'down' if dy > 0 else 'up'}" if dy else ""
    return " and ".join(filter(None, (across, down)))


def _moved(views: tuple[View, View], run: Run, other: Run, name: str, channel: int) -> ShiftedMap:
    before, after = run.maps(name, [channel])[0], other.maps(name, [channel])[0]
    url, url_after = (sheet_url(view, run.model, name, channels=str(channel)) for view in views)
    rows, columns = before.shape
    return ShiftedMap(
        name,
        url,
        url_after,
        (rows, columns),
        relative_change(before, after),
        unchanged_cells(before, after),
        before.numel(),
    )
