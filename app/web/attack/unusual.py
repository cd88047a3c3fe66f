"""“Is it unusual?”: the pictures' scores among those of held-out photos."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from torch import Tensor

from app.errors import BadRequest, NotFound
from app.pictures.histogram import histogram_png
from app.pictures.preprocess import input_png
from app.services.calibration import Calibration, calibration
from app.services.pairs import Pair, paired
from app.services.sheets import DRAWING
from app.services.unusual import SCORES, Judged, Reading, control, histogram, judged
from app.web.api.answers import kept, table
from app.web.attack.frame import show
from app.web.attack.unusual_contexts import (
    TITLES,
    UnusualPanel,
    UnusualView,
    beaten_words,
    lesson,
    meters,
    sentence,
    subjects,
)
from app.web.state import Services, ServicesDep
from app.web.templating import number

router = APIRouter()

TITLE = "Is it unusual?"

Name = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Given:
    """The pictures, uint8 [3,S,S] each, and the calibration of the network, if it has one."""

    view: UnusualView
    pair: Pair
    pictures: tuple[Tensor, ...]
    found: Calibration | None


async def looked_up(
    services: ServicesDep,
    model: Name,
    image: Name,
    attacked: Name = "",
    seed: Annotated[int, Query(ge=0, lt=2**53)] = 0,
) -> Given:
    """Raises `UnknownModel`, `UnknownPicture`, `NoClassifier`, `WeightsMissing`."""
    pair = await paired(
        services.catalogue, services.pictures, model, image, attacked or image, None, seed
    )
    found = await asyncio.to_thread(calibration, pair.model)
    pictures: tuple[Tensor, ...] = (pair.clean,)
    if attacked:
        pictures = (pair.clean, pair.attacked, await asyncio.to_thread(control, pair))
    return Given(UnusualView(model, image, attacked, seed), pair, pictures, found)


GivenDep = Annotated[Given, Depends(looked_up)]


@router.get("/unusual")
async def unusual(request: Request, given: GivenDep, services: ServicesDep) -> Response:
    """The panel, or how to calibrate a network that is not."""
    view, model, found = given.view, given.pair.model, given.found
    read = [] if found is None else await _read(given, found, services)
    known = bool(read) and bool(read[0].readings)
    shown = subjects(view, model.labels, read)
    panel = UnusualPanel(
        view,
        model,
        given.pair.clean.shape[1],
        shown,
        meters(view, shown, found, read) if found and known else (),
        sentence(read) if known else "",
        lesson(read) if known else "",
        f"python -m app calibrate --model {model.id} --data FOLDER_OF_PHOTOS",
        f"/attack/unusual.csv?{view.query()}",
    )
    return show(request, TITLE, "attack/_unusual.html", {"panel": panel})


@router.get("/unusual/input.png")
async def unusual_input(
    given: GivenDep, which: Literal["clean", "attacked", "noise"] = "clean", v: str = ""
) -> Response:
    """One of the pictures as the network gets it."""
    place = list(TITLES).index(which)
    if place >= len(given.pictures):
        raise NotFound("Without an attacked picture there is only the clean one.")
    png = await asyncio.to_thread(input_png, given.pictures[place])
    return kept(png, "image/png", v == str(DRAWING))


@router.get("/unusual.png")
async def unusual_png(given: GivenDep, services: ServicesDep, score: str = "") -> Response:
    """One score's histogram with the pictures' marks."""
    found = calibrated(given)
    rows = await _of_score(given, found, services, score or SCORES[0].id)
    drawn = histogram(found.scores[rows[0].score.id], [one.value for one in rows])
    names = _names(len(rows))
    marks = [
        (f"{name}: {number(row.value)}, {beaten_words(row)}", drawn.at(row.value))
        for name, row in zip(names, rows, strict=True)
    ]
    title = f"{given.pair.model.row.title}: {rows[0].score.title}"
    ends = (number(drawn.low), number(drawn.high))
    count = f"{sum(drawn.counts)} held-out reference photos"
    png = await asyncio.to_thread(histogram_png, title, drawn.counts, ends, marks, count)
    return kept(png, "image/png", False, "layerscope-unusual.png")


@router.get("/unusual.csv")
async def unusual_csv(given: GivenDep, services: ServicesDep) -> Response:
    """A line for each picture and score."""
    read = await _read(given, calibrated(given), services)
    rows = (
        (id, r.score.id, r.value, r.place.below, r.place.equal, r.place.above, r.p_value)
        for id, one in zip(TITLES, read, strict=False)
        for r in one.readings
    )
    head = ["picture", "score", "value", "references below", "equal", "above", "p-value"]
    return table(head, rows, "layerscope-unusual.csv")


def calibrated(given: Given) -> Calibration:
    """The calibration. Raises `NotFound` where the network has none."""
    if given.found is None:
        raise NotFound(f"{given.pair.model.row.title} is not calibrated: see the panel for how.")
    return given.found


def _names(count: int) -> list[str]:
    return list(TITLES.values())[:count] if count > 1 else ["This picture"]


async def _read(given: Given, found: Calibration, services: Services) -> list[Judged]:
    pair = given.pair
    return await judged(services.engine, pair.model, pair.network, found, given.pictures)


async def _of_score(
    given: Given, found: Calibration, services: Services, id: str
) -> Sequence[Reading]:
    """One score of every picture. Raises `BadRequest`."""
    read = await _read(given, found, services)
    rows = [one for of_picture in read for one in of_picture.readings if one.score.id == id]
    if not rows:
        known = ", ".join(one.score.id for one in read[0].readings)
        raise BadRequest(f"score is one of {known}, not “{id[:40]}”.")
    return rows
