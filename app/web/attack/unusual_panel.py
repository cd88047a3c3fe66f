"""What “Is it unusual?” shows: scores among those of held-out photos, in words and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import Any, ClassVar

from pydantic import ValidationInfo, field_validator

from app.services.attacks.unusual import (
    RARE,
    Histogram,
    JudgedPicture,
    Score,
    ScoreReading,
    histogram,
)
from app.services.networks.calibration import Calibration
from app.services.networks.catalogue import Model
from app.services.runs.sheets import DRAWING
from app.web.core.base_path import base
from app.web.core.templating import number, thousands
from app.web.core.url_view import Name, Seed, UrlView
from app.web.parts.contexts import helped
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
    share = 100 * reading.beaten
    # Never rounded up: 94.6 % is not beyond the threshold of 95 %.
    whole = 1 <= share <= 99 or share in (0, 100)
    told = f"{floor(share)}" if whole else f"{floor(10 * share) / 10:.1f}"
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
        f"{base()}/attack/unusual.png?{view.query({'score': score.id})}",
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
