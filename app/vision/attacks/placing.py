"""What does a network predict with a sticker at many places?"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from app.vision.attacks.paste import TURN, Placement, diameter, pasted, random_placements
from app.vision.attacks.pixel_model import PixelModel

BATCH = 32


def logits_at(
    model: PixelModel, pixels: Tensor, sticker: Tensor, place: Placement, batch: int = BATCH
) -> Iterator[Tensor]:
    """Yield logits [n,K], batch by batch, of uint8 pictures [N,3,S,S] with a sticker on each.

    `sticker` is uint8 [3,P,P], `place` has N places. For one picture at many places pass
    `picture.expand(N, -1, -1, -1)`.
    """
    for part, where in zip(torch.split(pixels, batch), place.split(batch), strict=True):
        yield model.logits(pasted(part, sticker, where).to(model.device).float())


def random_places(
    count: int, side: int, areas: tuple[float, float], turn: float = TURN, seed: int = 0
) -> Placement:
    """Draw places on pictures of `side` pixels; `areas` are the least and largest share covered."""
    generator = torch.Generator().manual_seed(seed)
    return random_placements(count, side, (diameter(areas[0]), diameter(areas[1])), generator, turn)


def success_rate(
    model: PixelModel, pixels: Tensor, sticker: Tensor, target: int, place: Placement
) -> float:
    """The share 0..1 of N pictures classified as `target` with the sticker at its place."""
    hits = [(part.argmax(1) == target).cpu() for part in logits_at(model, pixels, sticker, place)]
    return float(torch.cat(hits).double().mean())
