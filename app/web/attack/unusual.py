"""Panel “Is it unusual?”, out-of-distribution detection: scores compared with held-out photos."""

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
from app.services.attacks.unusual import (
    SCORES,
    JudgedPicture,
    ScoreReading,
    control,
    histogram,
    judged,
)
from app.services.networks.calibration import Calibration, calibration
from app.services.runs.pairs import PicturePair, load_pair
from app.services.runs.sheets import DRAWING
from app.web.attack.pair_query import show
from app.web.attack.unusual_panel import (
    TITLES,
    UnusualPanel,
    UnusualView,
    beaten_words,
    lesson,
    meters,
    sentence,
    subjects,
)
from app.web.core.base_path import base
from app.web.core.file_responses import csv_response, file_response
from app.web.core.state import Services, ServicesDep
from app.web.core.templating import number
from app.web.core.work import WorkDep
from app.web.panels.panel import AttackPanel

router = APIRouter()

PANEL = AttackPanel(
    "unusual", "Is it unusual?", "Does the network notice that something is odd?", router=router
)


@dataclass(frozen=True, slots=True)
class UnusualQuery:
    """The pictures, uint8 [3,S,S] each, and the network's calibration, if it has one."""

    view: UnusualView
    pair: PicturePair
    pictures: tuple[Tensor, ...]
    calibration: Calibration | None


async def unusual_query(
    services: ServicesDep, view: Annotated[UnusualView, Query()]
) -> UnusualQuery:
    """Look them up. Raises `UnknownModel`, `UnknownPicture`, `NoClassifier`, `WeightsMissing`."""
    attacked = view.attacked or view.image
    pair = await load_pair(
        services.catalogue, services.pictures, view.model, view.image, attacked, None, view.seed
    )
    found = await asyncio.to_thread(calibration, pair.model)
    pictures: tuple[Tensor, ...] = (pair.clean,)
    if view.attacked:
        pictures = (pair.clean, pair.attacked, await asyncio.to_thread(control, pair))
    return UnusualQuery(view, pair, pictures, found)


UnusualQueryDep = Annotated[UnusualQuery, Depends(unusual_query)]


@router.get("/unusual")
async def unusual(request: Request, query: UnusualQueryDep, services: ServicesDep) -> Response:
    """The panel, or how to calibrate a network that is not calibrated."""
    view, model, found = query.view, query.pair.model, query.calibration
    read = [] if found is None else await _read(query, found, services)
    known = bool(read) and bool(read[0].readings)
    shown = subjects(view, model.labels, read)
    panel = UnusualPanel(
        view,
        model,
        query.pair.clean.shape[1],
        shown,
        meters(view, shown, found, read) if found and known else (),
        sentence(read) if known else "",
        lesson(read) if known else "",
        f"python -m app calibrate --model {model.id} --data FOLDER_OF_PHOTOS",
        f"{base()}/attack/unusual.csv?{view.query()}",
    )
    return show(request, PANEL.title, "attack/_unusual.html", {"panel": panel})


@router.get("/unusual/input.png")
async def unusual_input(
    query: UnusualQueryDep,
    side: WorkDep,
    which: Literal["clean", "attacked", "noise"] = "clean",
    v: str = "",
) -> Response:
    """One of the pictures as the network gets it."""
    place = list(TITLES).index(which)
    if place >= len(query.pictures):
        raise NotFound("Without an attacked picture there is only the clean one.")
    png = await side(input_png, query.pictures[place])
    return file_response(png, "image/png", v == str(DRAWING))


@router.get("/unusual.png")
async def unusual_png(
    query: UnusualQueryDep, side: WorkDep, services: ServicesDep, score: str = ""
) -> Response:
    """One score's histogram with the pictures' marks."""
    found = calibrated(query)
    rows = await _of_score(query, found, services, score or SCORES[0].id)
    drawn = histogram(found.scores[rows[0].score.id], [one.value for one in rows])
    names = _names(len(rows))
    marks = [
        (f"{name}: {number(row.value)}, {beaten_words(row)}", drawn.at(row.value))
        for name, row in zip(names, rows, strict=True)
    ]
    title = f"{query.pair.model.row.title}: {rows[0].score.title}"
    ends = (number(drawn.low), number(drawn.high))
    count = f"{sum(drawn.counts)} held-out reference photos"
    png = await side(histogram_png, title, drawn.counts, ends, marks, count)
    return file_response(png, "image/png", False, "layerscope-unusual.png")


@router.get("/unusual.csv")
async def unusual_csv(query: UnusualQueryDep, services: ServicesDep) -> Response:
    """A line for each picture and score."""
    read = await _read(query, calibrated(query), services)
    rows = (
        (id, r.score.id, r.value, r.place.below, r.place.equal, r.place.above, r.p_value)
        for id, one in zip(TITLES, read, strict=False)
        for r in one.readings
    )
    head = ["picture", "score", "value", "references below", "equal", "above", "p-value"]
    return csv_response(head, rows, "layerscope-unusual.csv")


def calibrated(query: UnusualQuery) -> Calibration:
    """The calibration. Raises `NotFound` if the network has none."""
    if query.calibration is None:
        raise NotFound(f"{query.pair.model.row.title} is not calibrated: see the panel for how.")
    return query.calibration


def _names(count: int) -> list[str]:
    return list(TITLES.values())[:count] if count > 1 else ["This picture"]


async def _read(
    query: UnusualQuery, calibration: Calibration, services: Services
) -> list[JudgedPicture]:
    pair = query.pair
    return await judged(services.engine, pair.model, pair.network, calibration, query.pictures)


async def _of_score(
    query: UnusualQuery, calibration: Calibration, services: Services, id: str
) -> Sequence[ScoreReading]:
    """One score of every picture. Raises `BadRequest`."""
    read = await _read(query, calibration, services)
    rows = [one for of_picture in read for one in of_picture.readings if one.score.id == id]
    if not rows:
        known = ", ".join(one.score.id for one in read[0].readings)
        raise BadRequest(f"score is one of {known}, not “{id[:40]}”.")
    return rows
