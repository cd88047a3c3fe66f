"""What “Is it unusual?” shows: scores among those of held-out photos, in words and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ValidationInfo, field_validator

from app.services.attacks.unusual import (
    Histogram,
    JudgedPicture,
    Score,
    ScoreReading,
    histogram,
)
from app.services.networks.calibration import Calibration
from app.services.networks.catalogue import Model
from app.services.runs.sheets import DRAWING
from app.vision.unusual import RARE, thresholds
from app.web.core.base_path import base
from app.web.core.templating import number, thousands
from app.web.core.url_view import Name, Seed, UrlView
from app.web.parts.contexts import helped
from app.web.parts.unusual_words import beaten_percent, p_text
from models.classes import Label

WIDTH, HEIGHT = 400, 120
"""Size of a histogram, in its own units."""


class UnusualView(UrlView):
    """The view of the panel's URL; without an attacked picture only the clean one is scored.

    The seed is that of the noise beside an attacked picture.
    """

    page: ClassVar[str] = "/attack/unusual"
    always: ClassVar[frozenset[str]] = frozenset({"seed"})

    model: Name
    image: Name
    attacked: Name = ""
    seed: Seed = 0

    @field_validator("seed")
    @classmethod
    def _of_the_noise(cls, seed: int, others: ValidationInfo) -> int:
        return seed if others.data.get("attacked") else 0

    @property
    def parameters(self) -> dict[str, Any]:
        """What its URL says: a seed only where there is noise."""
        said = super().parameters
        return said if self.attacked else {k: v for k, v in said.items() if k != "seed"}


@dataclass(frozen=True, slots=True)
class ScoredPicture:
    """One of the scored pictures."""

    id: str  # `clean`, `attacked` or `noise`
    title: str
    picture: str  # URL of the network's input
    label: str = ""  # the predicted class
    share: float = 0.0  # its probability, 0..1


@dataclass(frozen=True, slots=True)
class ScoreMark:
    """The mark of a picture in a histogram."""

    id: str  # of the `ScoredPicture`
    title: str
    x: float
    value: str
    words: str  # how unusual it is
    p_value: str  # conformal
    rare: bool  # whether it is called unusual


@dataclass(frozen=True, slots=True)
class Meter:
    """One score: the histogram of the reference photos and the marks of the pictures."""

    score: Score
    bars: tuple[tuple[float, float, float, float], ...]  # x, y, width, height
    counts: tuple[int, ...]  # how many reference photos each bar stands for
    count: int  # of reference photos in all
    ends: tuple[str, str]  # the lowest and highest score of the axis
    limits: tuple[float, ...]  # x of where “unusual” begins
    marks: tuple[ScoreMark, ...]
    png: str
    label: str  # the histogram in words, for screen readers


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
    query = view.query({"v": DRAWING})
    return tuple(
        ScoredPicture(
            id,
            title if len(read) > 1 else "This picture",
            f"{base()}/attack/unusual/input.png?{query}&which={id}",
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
    # Non-breaking spaces: a line never breaks within the number or before its sign.
    count = thousands(reading.place.count).replace("\u2009", "\u202f")
    return f"more unusual than {beaten_percent(reading)} of {count} reference photos"


def sentence(read: Sequence[JudgedPicture]) -> str:
    """What the first score shows about the clean picture."""
    first = read[0].readings[0]
    which = "The clean picture" if len(read) > 1 else "This picture"
    verdict, where = ("unusual", "not above") if first.rare else ("nothing unusual", "above")
    return (
        f"{which} is {beaten_words(first)} (p = {p_text(first.p_value)}, {where} {RARE}): "
        f"{verdict} in style."
    )


def lesson(read: Sequence[JudgedPicture]) -> str:
    """What the attacked picture shows; empty without one."""
    if len(read) < 2:
        return ""
    clean, attacked = read[0], read[1]
    if clean.first.index == attacked.first.index:
        return "The attack did not change the answer: there is nothing to notice."
    if attacked.readings[0].rare:
        if clean.readings[0].rare:
            return "The attacked picture looks unusual to the network, but so does the clean one."
        return (
            "Here the attacked picture does look unusual to the network. Do not count on it: many "
            "attacked pictures score as perfectly normal."
        )
    others = [one.score.title for one in attacked.readings[1:] if one.rare]
    if others:
        return (
            "In style the attacked picture scores as normal, although its answer has changed. Of "
            f"the other scores, {len(attacked.readings) - 1} in number, {len(others)} would call "
            f"it unusual: {_listed(others)}. Each does that to one reference photo in twenty, too."
        )
    return (
        "The attacked picture scores as normal by every score here, although its answer has "
        "changed: do not rely on them to notice an attack."
    )


def _listed(titles: Sequence[str]) -> str:
    return ", ".join(f"“{title}”" for title in titles)


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
        _limits(score, calibration, drawn),
        marks,
        f"{base()}/attack/unusual.png?{view.query({'score': score.id})}",
        f"Histogram of {sum(drawn.counts)} reference photos. {told}.",
    )


def _limits(score: Score, calibration: Calibration, drawn: Histogram) -> tuple[float, ...]:
    """Where “unusual” begins, as x."""
    found = thresholds(calibration.scores[score.id], score.side)
    return tuple(round(WIDTH * drawn.at(value), 2) for value in found)


def _mark(one: ScoredPicture, reading: ScoreReading, drawn: Histogram) -> ScoreMark:
    return ScoreMark(
        one.id,
        one.title,
        round(WIDTH * drawn.at(reading.value), 2),
        number(reading.value),
        beaten_words(reading),
        p_text(reading.p_value),
        reading.rare,
    )


def _bars(drawn: Histogram) -> tuple[tuple[float, float, float, float], ...]:
    step, most = WIDTH / len(drawn.counts), max(drawn.counts)
    tall = [(HEIGHT - 16) * count / most for count in drawn.counts]
    return tuple(
        (round(i * step, 2), round(HEIGHT - h, 2), round(step - 1, 2), round(h, 2))
        for i, h in enumerate(tall)
    )
