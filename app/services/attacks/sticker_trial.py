"""The network's predictions for a picture with a sticker, at one place or at many."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

import torch
from torch import Tensor

from app.pictures.preprocess import normalise
from app.services.attacks.pixel_model import pixel_model_of
from app.services.engine.engine import Engine
from app.services.networks.catalogue import Model
from app.services.runs.run import Run, preprocess
from app.vision.attacks.paste import Placement, covered, diameter, pasted
from app.vision.attacks.placing import logits_at, random_places
from app.vision.predict import RankedClass, top
from models.graph import Network

PLACES = 100
AT_ONCE = 16
"""Places per batch; interactive work may run between two batches."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class StickerPlace:
    """Placement of a sticker: centre and diameter as shares of the side; rotation in degrees."""

    x: float
    y: float
    scale: float
    turn: float

    def on(self, side: int) -> Placement:
        """The placement in pixels, on a picture of `side` pixels."""
        return Placement.at(self.x * side, self.y * side, self.scale, self.turn)

    def area(self, side: int) -> float:
        """The share of such a picture that the sticker covers, 0..1."""
        return float(covered(side, self.on(side)))


@dataclass(frozen=True, slots=True)
class StickerAnswer:
    """A picture with a sticker, uint8 [3,S,S], and the network's prediction for exactly it.

    `ranked` are the five most likely classes, then the sticker's class if it is not among them.
    """

    pixels: Tensor
    ranked: tuple[RankedClass, ...]


async def seen(
    engine: Engine, run: Run, stickers: list[Tensor], place: StickerPlace, target: int
) -> list[StickerAnswer]:
    """Predict the run's picture with each of several stickers, uint8 [3,P,P], at one place.

    They go through the network as one batch. Raises `Busy`.
    """
    pictures = [stuck(run.fitted.pixels, one, place) for one in stickers]
    logits = await asyncio.gather(*(_logits(engine, run, one) for one in pictures))
    return [
        StickerAnswer(*pair)
        for pair in zip(pictures, (five(z, target) for z in logits), strict=True)
    ]


def stuck(pixels: Tensor, sticker: Tensor, place: StickerPlace) -> Tensor:
    """Paste a sticker, uint8 [3,P,P], on a picture, uint8 [3,S,S]."""
    return pasted(pixels[None], sticker, place.on(pixels.shape[-1]))[0]


def five(logits: Tensor, target: int) -> tuple[RankedClass, ...]:
    """The five most likely classes, then the target class if it is not among them."""
    ranked = top(logits, len(logits))
    own = [one for one in ranked[SHOWN:] if one.index == target]
    return (*ranked[:SHOWN], *own)


async def _logits(engine: Engine, run: Run, pixels: Tensor) -> Tensor:
    model = run.model
    results = engine.forward(run.network, normalise(pixels, preprocess(model)))
    async with aclosing(results) as steps:
        async for result in steps:
            if result.step.name == model.outline.logits:
                return result.tensor
    raise RuntimeError("a network with classes has logits")


@dataclass(frozen=True, slots=True)
class StickerTrials:
    """Several places, x and y as shares of the side, and the class predicted at each, [n].

    `random` is the class predicted there with a sticker of random colours.
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
    """Yield predictions with a sticker and its control at `PLACES` random places, in batches.

    `pixels` is uint8 [3,S,S]; `scale` is the diameter as a share of the side; the stickers are
    rotated by up to 22.5 degrees.
    """
    reader = pixel_model_of(model, network)
    side, area = pixels.shape[-1], (scale / diameter(1.0)) ** 2
    for where in random_places(PLACES, side, (area, area), seed=seed).split(AT_ONCE):
        some = pixels.expand(len(where.x), -1, -1, -1)
        own, control = (
            torch.cat(list(logits_at(reader, some, one, where, AT_ONCE))).argmax(1).cpu()
            for one in stickers
        )
        yield StickerTrials(where.x / side, where.y / side, own, control)
