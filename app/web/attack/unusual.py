"""Panel “Is it unusual?”, out-of-distribution detection: scores compared with held-out photos."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from torch import Tensor

from app.errors import BadRequest, NotFound
from app.pictures.histogram import histogram_png
from app.pictures.preprocess import input_png
from app.services.attacks.unusual import (
    SCORES,
    Histogram,
    JudgedPicture,
    Score,
    ScoreReading,
    control,
    histogram,
    judged,
)
from app.services.networks.calibration import Calibration, calibration
from app.services.networks.catalogue import Model
from app.services.runs.pairs import PicturePair, paired
from app.services.runs.sheets import DRAWING
from app.web.attack.pair_panels import show
from app.web.core.file_responses import csv_response, file_response
from app.web.core.state import Services, ServicesDep
from app.web.core.templating import number, thousands
from app.web.parts.contexts import helped
from models.classes import Label

WIDTH, HEIGHT = 400, 120
"""Size of a histogram, in its own units."""

RARE = 0.05
"""The p-value up to which a picture is called unusual."""


@dataclass(frozen=True, slots=True)
class UnusualView:
    """The view of the panel's URL; without an attacked picture only the clean one is scored."""

    model: str
    image: str
    attacked: str
    seed: int

    def query(self, **more: object) -> str:
        """The query string, with `more`."""
        named: dict[str, object] = {"model": self.model, "image": self.image}
        if self.attacked:
            named |= {"attacked": self.attacked, "seed": self.seed}
        return urlencode({**named, **more})


@dataclass(frozen=True, slots=True)
class ScoredPicture:
    """One of the scored pictures."""

    id: str = helped("`clean`, `attacked` or `noise`.")
    title: str = helped("Which picture it is.")
    picture: str = helped("URL of the network's input.")
    label: str = helped("Its predicted class.", "")
    share: float = helped("The probability of that.", 0.0)


@dataclass(frozen=True, slots=True)
class ScoreMark:
    """The mark of a picture in a histogram."""

    id: str = helped("Which picture: see `ScoredPicture`.")
    title: str = helped("Title of the picture.")
    x: float = helped("Its x.")
    value: str = helped("Its score.")
    words: str = helped("How unusual it is, in words.")
    p_value: str = helped("The conformal p-value.")
    rare: bool = helped("Whether it is called unusual.")


@dataclass(frozen=True, slots=True)
class Meter:
    """One score: the histogram of the reference photos and the marks of the pictures."""

    score: Score = helped("The score that is measured.")
    bars: tuple[tuple[float, float, float, float], ...] = helped("x, y, width, height of each bar.")
    counts: tuple[int, ...] = helped("How many reference photos each stands for.")
    count: int = helped("How many reference photos in all.")
    ends: tuple[str, str] = helped("The lowest and highest score of the axis.")
    marks: tuple[ScoreMark, ...] = helped("The pictures.")
    png: str = helped("URL of the histogram as a picture.")
    label: str = helped("The histogram in words, for screen readers.")


@dataclass(frozen=True, slots=True)
class UnusualPanel:
    """The whole panel; without a calibration it has no meters."""

    view: UnusualView = helped("Network and pictures.")
    model: Model = helped("The network.")
    side: int = helped("Side of its input, pixels.")
    subjects: tuple[ScoredPicture, ...] = helped("The scored pictures.")
    meters: tuple[Meter, ...] = helped("The scores; the first one responds to style.")
    sentence: str = helped("The result.")
    lesson: str = helped("What an attack shows; empty without one.")
    command: str = helped("The command that calibrates the network.")
    csv: str = helped("URL of the table.")


TITLES = {"clean": "Clean", "attacked": "Attacked", "noise": "Random noise instead"}


def subjects(
    view: UnusualView, labels: Sequence[Label], read: Sequence[JudgedPicture]
) -> tuple[ScoredPicture, ...]:
    """The scored pictures: the clean one alone, or with the attacked one and noise."""
    query = view.query(v=DRAWING)
    return tuple(
        ScoredPicture(
            id,
            title if len(read) > 1 else "This picture",
            f"/attack/unusual/input.png?{query}&which={id}",
            labels[one.first.index].label,
            one.first.probability,
        )
        for (id, title), one in zip(TITLES.items(), read, strict=False)
    )


def meters(
    view: UnusualView,
    judged: Sequence[ScoredPicture],
    calibration: Calibration,
    all_read: Sequence[JudgedPicture],
) -> tuple[Meter, ...]:
    """A histogram for every score, with each picture's mark."""
    read = [one.readings for one in all_read]
    return tuple(
        _meter(view, judged, calibration, of_score) for of_score in zip(*read, strict=True)
    )


def beaten_words(reading: ScoreReading) -> str:
    """`more unusual than 97 % of 1 000 reference photos`."""
    share = 100 * reading.beaten
    # Never rounded up to all or down to none of them.
    told = f"{share:.0f}" if 1 <= share <= 99 or share in (0, 100) else f"{share:.1f}"
    # Non-breaking spaces: a line never breaks within the number or before its sign.
    count = thousands(reading.place.count).replace("\u2009", "\u202f")
    return f"more unusual than {told}\u00a0% of {count} reference photos"


def sentence(read: Sequence[JudgedPicture]) -> str:
    """What the first score shows about the clean picture."""
    first = read[0].readings[0]
    which = "The clean picture" if len(read) > 1 else "This picture"
    verdict = "unusual" if first.p_value <= RARE else "nothing unusual"
    return f"{which} is {beaten_words(first)} (p = {_p(first.p_value)}): {verdict} in style."


def lesson(read: Sequence[JudgedPicture]) -> str:
    """What the attacked picture shows; empty without one."""
    if len(read) < 2:
        return ""
    if read[0].first.index == read[1].first.index:
        return "The attack did not change the answer: there is nothing to notice."
    if read[1].readings[0].p_value <= RARE:
        return (
            "Here the attacked picture does look unusual to the network. Do not count on it: many "
            "attacked pictures score as perfectly normal."
        )
    return (
        "The attacked picture scores as normal, although its answer has changed: these scores do "
        "not detect attacks."
    )


def _meter(
    view: UnusualView,
    judged: Sequence[ScoredPicture],
    calibration: Calibration,
    read: Sequence[ScoreReading],
) -> Meter:
    score = read[0].score
    drawn = histogram(calibration.scores[score.id], [one.value for one in read])
    marks = tuple(_mark(one, reading, drawn) for one, reading in zip(judged, read, strict=True))
    told = "; ".join(f"{one.title}: {one.words}" for one in marks)
    return Meter(
        score,
        _bars(drawn),
        drawn.counts,
        sum(drawn.counts),
        (number(drawn.low), number(drawn.high)),
        marks,
        f"/attack/unusual.png?{view.query(score=score.id)}",
        f"Histogram of {sum(drawn.counts)} reference photos. {told}.",
    )


def _mark(one: ScoredPicture, reading: ScoreReading, drawn: Histogram) -> ScoreMark:
    return ScoreMark(
        one.id,
        one.title,
        round(WIDTH * drawn.at(reading.value), 2),
        number(reading.value),
        beaten_words(reading),
        _p(reading.p_value),
        reading.p_value <= RARE,
    )


def _bars(drawn: Histogram) -> tuple[tuple[float, float, float, float], ...]:
    step, most = WIDTH / len(drawn.counts), max(drawn.counts)
    tall = [(HEIGHT - 16) * count / most for count in drawn.counts]
    return tuple(
        (round(i * step, 2), round(HEIGHT - h, 2), round(step - 1, 2), round(h, 2))
        for i, h in enumerate(tall)
    )


def _p(value: float) -> str:
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


router = APIRouter()

TITLE = "Is it unusual?"

Name = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class UnusualQuery:
    """The pictures, uint8 [3,S,S] each, and the network's calibration, if it has one."""

    view: UnusualView
    pair: PicturePair
    pictures: tuple[Tensor, ...]
    calibration: Calibration | None


async def unusual_query(
    services: ServicesDep,
    model: Name,
    image: Name,
    attacked: Name = "",
    seed: Annotated[int, Query(ge=0, lt=2**53)] = 0,
) -> UnusualQuery:
    """Look them up. Raises `UnknownModel`, `UnknownPicture`, `NoClassifier`, `WeightsMissing`."""
    pair = await paired(
        services.catalogue, services.pictures, model, image, attacked or image, None, seed
    )
    found = await asyncio.to_thread(calibration, pair.model)
    pictures: tuple[Tensor, ...] = (pair.clean,)
    if attacked:
        pictures = (pair.clean, pair.attacked, await asyncio.to_thread(control, pair))
    return UnusualQuery(UnusualView(model, image, attacked, seed), pair, pictures, found)


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
        f"/attack/unusual.csv?{view.query()}",
    )
    return show(request, TITLE, "attack/_unusual.html", {"panel": panel})


@router.get("/unusual/input.png")
async def unusual_input(
    query: UnusualQueryDep, which: Literal["clean", "attacked", "noise"] = "clean", v: str = ""
) -> Response:
    """One of the pictures as the network gets it."""
    place = list(TITLES).index(which)
    if place >= len(query.pictures):
        raise NotFound("Without an attacked picture there is only the clean one.")
    png = await asyncio.to_thread(input_png, query.pictures[place])
    return file_response(png, "image/png", v == str(DRAWING))


@router.get("/unusual.png")
async def unusual_png(query: UnusualQueryDep, services: ServicesDep, score: str = "") -> Response:
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
    png = await asyncio.to_thread(histogram_png, title, drawn.counts, ends, marks, count)
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
