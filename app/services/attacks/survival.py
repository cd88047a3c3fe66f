"""Does an attack survive transformations of the picture, such as JPEG, scaling, a photo of it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from app.pictures.transformations import TRANSFORMATIONS, Transformation, apply_transformations
from app.services.engine.engine import Engine
from app.services.runs.batch_inference import Batches, logits_of, run_chart_job
from app.services.runs.pairs import PicturePair
from app.vision.predict import RankedClass, top

SHOWN = 5

Fate = Literal["none", "broken", "undone", "fooled", "other"]
"""What happened to the attack: see `fate`."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """Both pictures after the same transformations, uint8 [3,S,S], with the predictions."""

    clean: Tensor
    attacked: Tensor
    before: tuple[RankedClass, ...]
    after: tuple[RankedClass, ...]


@dataclass(frozen=True, slots=True)
class SurvivalTrial:
    """One transformation alone: the most likely class of each picture, and the attack's fate."""

    stop: Transformation
    strength: float
    clean: RankedClass
    attacked: RankedClass
    fate: Fate


@dataclass(frozen=True, slots=True)
class SurvivalStart:
    """The most likely class of each picture before any transformation."""

    clean: RankedClass
    attacked: RankedClass

    @property
    def fooled(self) -> bool:
        """True if the attack changed the prediction."""
        return self.clean.index != self.attacked.index


def fate(start: SurvivalStart, clean: int, attacked: int) -> Fate:
    """The fate of an attack, from the classes of both pictures after the transformations.

    `none`: it never fooled the network. `broken`: the clean picture's class changed too, so that
    nothing can be said. `undone`: the attacked picture has the clean picture's class again.
    `fooled`: it still has the class that the attack led to; `other`: another wrong class.
    """
    if not start.fooled:
        return "none"
    if clean != start.clean.index:
        return "broken"
    if attacked == start.clean.index:
        return "undone"
    return "fooled" if attacked == start.attacked.index else "other"


def transformed(pair: PicturePair, chosen: Mapping[str, float]) -> tuple[Tensor, Tensor]:
    """Transform the clean and the attacked picture in the same way, with the same seed."""
    clean, attacked = (
        apply_transformations(x, chosen, pair.seed) for x in (pair.clean, pair.attacked)
    )
    return clean, attacked


async def predict_transformed(
    engine: Engine, pair: PicturePair, both: tuple[Tensor, Tensor]
) -> tuple[SurvivalStart, Survivor]:
    """Predict both pictures before and after the transformations. Raises `Busy`."""
    pictures = (pair.clean, pair.attacked, *both)
    rows = await logits_of(engine, pair.model, pair.network, pictures)
    start = SurvivalStart(top(rows[0], 1)[0], top(rows[1], 1)[0])
    before, after = (tuple(top(one, SHOWN)) for one in rows[2:])
    return start, Survivor(*both, before, after)


async def trials(
    engine: Engine, owner: str, pair: PicturePair
) -> tuple[SurvivalStart, list[SurvivalTrial]]:
    """Try every transformation alone, in a few strengths. Raises `Busy`."""

    def work() -> Iterator[Tensor]:
        tried = [{stop.id: strength} for stop in TRANSFORMATIONS for strength in stop.tried]
        pictures = [one for chosen in ({}, *tried) for one in transformed(pair, chosen)]
        yield from Batches(pair.model, pair.network).logits(pictures)

    logits = torch.cat(await run_chart_job(engine, owner, work))
    firsts = [top(row, 1)[0] for row in logits]
    start = SurvivalStart(*firsts[:2])
    pairs = zip(firsts[2::2], firsts[3::2], strict=True)
    stops = ((stop, strength) for stop in TRANSFORMATIONS for strength in stop.tried)
    return start, [
        SurvivalTrial(stop, strength, clean, attacked, fate(start, clean.index, attacked.index))
        for (stop, strength), (clean, attacked) in zip(stops, pairs, strict=True)
    ]
