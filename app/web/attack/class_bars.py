"""The likeliest classes of a picture, each with a bar for its probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.vision.predict import RankedClass
from models.classes import Label


@dataclass(frozen=True, slots=True)
class ClassShareBar:
    """The bar of one class."""

    index: int
    label: str
    logit: float
    probability: float
    kind: Literal["was", "goal", "other"]  # the first prediction, the target, or neither


def class_bars(
    labels: Sequence[Label], ranked: Sequence[RankedClass], was: int | None, goal: int | None = None
) -> tuple[ClassShareBar, ...]:
    """The bars of `ranked`; a class that is both `was` and `goal` counts as `was`."""
    return tuple(
        ClassShareBar(
            one.index,
            labels[one.index].label,
            one.logit,
            one.probability,
            "was" if one.index == was else "goal" if one.index == goal else "other",
        )
        for one in ranked
    )
