"""A sticker on one picture: what the network says to it, at one place or at many."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

import torch
from torch import Tensor

from app.pictures.preprocess import normalise
from app.services.attacks.attacked_model import reader_of
from app.services.engine.engine import Engine
from app.services.networks.catalogue import Model
from app.services.runs.run import Run, preprocess
from app.vision.attacks.paste import Placement, covered, diameter, pasted
from app.vision.attacks.placing import logits_at, random_places
from app.vision.predict import RankedClass, top
from models.graph import Network

PLACES = 100
AT_ONCE = 16
"""Places between which interactive work may come in."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class StickerPlace:
    """Where a sticker lies: its centre, and its diameter, as shares of the side; degrees turned."""

    x: float
    y: float
    scale: float
    turn: float

    def on(self, side: int) -> Placement:
        """The same on a picture of `side` pixels."""
        return Placement.at(self.x * side, self.y * side, self.scale, self.turn)

    def area(self, side: int) -> float:
        """The share of such a picture that it touches, 0..1."""
        return float(covered(side, self.on(side)))


@dataclass(frozen=True, slots=True)
class StickerAnswer:
    """A picture with a sticker, uint8 [3,S,S], and what the network says to exactly it.

    `ranked` are the likeliest five, and the sticker's class after them where it is none of them.
    """

    pixels: Tensor
    ranked: tuple[RankedClass, ...]


async def seen(
    engine: Engine, run: Run, stickers: list[Tensor], place: StickerPlace, target: int
) -> list[StickerAnswer]:
    """The run's picture with each of some stickers, uint8 [3,P,P], at one place.

    They go through the network together. Raises `Busy`.
    """
    pictures = [stuck(run.fitted.pixels, one, place) for one in stickers]
    logits = await asyncio.gather(*(_logits(engine, run, one) for one in pictures))
    return [
        StickerAnswer(*pair)
        for pair in zip(pictures, (five(z, target) for z in logits), strict=True)
    ]


def stuck(pixels: Tensor, sticker: Tensor, place: StickerPlace) -> Tensor:
    """uint8 [3,S,S] with a sticker on it, uint8."""
    return pasted(pixels[None], sticker, place.on(pixels.shape[-1]))[0]


def five(logits: Tensor, target: int) -> tuple[RankedClass, ...]:
    """The likeliest five classes, and the target's where it is not among them."""
    ranked = top(logits, len(logits))
    own = [one for one in ranked[SHOWN:] if one.index == target]
    return (*ranked[:SHOWN], *own)


async def _logits(engine: Engine, run: Run, pixels: Tensor) -> Tensor:
    model = run.model
    results = engine.forward(run.network, normalise(pixels, preprocess(model)))
    async with aclosing(results) as steps:  # type: ignore[type-var]
        async for result in steps:
            if result.step.name == model.outline.logits:
                return result.tensor
    raise RuntimeError("a network with classes has logits")


@dataclass(frozen=True, slots=True)
class StickerTrials:
    """Some places, x and y as shares of the side, and the class seen at each, [n].

    `random` is the class seen there with a sticker of random colours.
    """

    x: Tensor
    y: Tensor
    classes: Tensor
    random: Tensor


def places(
    model: Model,
    network: Network,
    pixels: Tensor,
    stickers: tuple[Tensor, Tensor],
    scale: float,
    seed: int = 0,
) -> Iterator[StickerTrials]:
    """A sticker and its control on uint8 [3,S,S] at `PLACES` random places, some at a time.

    `scale` is the diameter as a share of the side; they are turned by up to 22.5 degrees.
    """
    reader = reader_of(model, network)
    side, area = pixels.shape[-1], (scale / diameter(1.0)) ** 2
    for where in random_places(PLACES, side, (area, area), seed=seed).split(AT_ONCE):
        some = pixels.expand(len(where.x), -1, -1, -1)
        own, control = (
            torch.cat(list(logits_at(reader, some, one, where, AT_ONCE))).argmax(1).cpu()
            for one in stickers
        )
        yield StickerTrials(where.x / side, where.y / side, own, control)
