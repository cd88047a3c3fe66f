"""Does an attack outlive what happens to pictures: saved, shrunk, photographed?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from app.pictures.transformations import TRANSFORMATIONS, JourneyStop, apply_transformations
from app.services.engine.engine import Engine
from app.services.runs.batch_inference import Batches, charted, logits_of
from app.services.runs.pairs import PicturePair
from app.vision.predict import RankedClass, top

SHOWN = 5

Fate = Literal["none", "broken", "undone", "fooled", "other"]
"""What became of it: see `fate`."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """Both pictures after the same journey, uint8 [3,S,S], and what the network says to them."""

    clean: Tensor
    attacked: Tensor
    before: tuple[RankedClass, ...]
    after: tuple[RankedClass, ...]


@dataclass(frozen=True, slots=True)
class SurvivalTrial:
    """One thing that happens, alone: the likeliest class of each picture, and what that means."""

    stop: JourneyStop
    strength: float
    clean: RankedClass
    attacked: RankedClass
    fate: Fate


@dataclass(frozen=True, slots=True)
class SurvivalStart:
    """What the network says before anything happens: the likeliest class of each picture."""

    clean: RankedClass
    attacked: RankedClass

    @property
    def fooled(self) -> bool:
        """Whether the attack changed the answer at all."""
        return self.clean.index != self.attacked.index


def fate(start: SurvivalStart, clean: int, attacked: int) -> Fate:
    """What became of an attack, by the classes of both pictures after what happened to them.

    `none`: it never fooled. `broken`: the clean picture is taken for something else as well, so
    that nothing can be said. `undone`: the attacked picture is taken for the right thing again.
    `fooled`: it is still taken for what the attack made of it; `other`: for another wrong thing.
    """
    if not start.fooled:
        return "none"
    if clean != start.clean.index:
        return "broken"
    if attacked == start.clean.index:
        return "undone"
    return "fooled" if attacked == start.attacked.index else "other"


def sent(pair: PicturePair, chosen: Mapping[str, float]) -> tuple[Tensor, Tensor]:
    """The clean and the attacked picture after the same journey, with the same chance."""
    clean, attacked = (
        apply_transformations(x, chosen, pair.seed) for x in (pair.clean, pair.attacked)
    )
    return clean, attacked


async def survived(
    engine: Engine, pair: PicturePair, both: tuple[Tensor, Tensor]
) -> tuple[SurvivalStart, Survivor]:
    """What the network says to both pictures before and after a journey. Raises `Busy`."""
    asked = (pair.clean, pair.attacked, *both)
    rows = await logits_of(engine, pair.model, pair.network, asked)
    start = SurvivalStart(top(rows[0], 1)[0], top(rows[1], 1)[0])
    before, after = (tuple(top(one, SHOWN)) for one in rows[2:])
    return start, Survivor(*both, before, after)


async def trials(
    engine: Engine, owner: str, pair: PicturePair
) -> tuple[SurvivalStart, list[SurvivalTrial]]:
    """Everything that can happen, each alone, in a few strengths. Raises `Busy`."""

    def work() -> Iterator[Tensor]:
        tried = [{stop.id: strength} for stop in TRANSFORMATIONS for strength in stop.tried]
        pictures = [one for chosen in ({}, *tried) for one in sent(pair, chosen)]
        yield from Batches(pair.model, pair.network).logits(pictures)

    logits = torch.cat(await charted(engine, owner, work))
    firsts = [top(row, 1)[0] for row in logits]
    start = SurvivalStart(*firsts[:2])
    pairs = zip(firsts[2::2], firsts[3::2], strict=True)
    stops = ((stop, strength) for stop in TRANSFORMATIONS for strength in stop.tried)
    return start, [
        SurvivalTrial(stop, strength, clean, attacked, fate(start, clean.index, attacked.index))
        for (stop, strength), (clean, attacked) in zip(stops, pairs, strict=True)
    ]
