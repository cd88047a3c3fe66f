"""Occlusion map: where does covering the picture with a patch lower a unit most?

Source: Zeiler and Fergus 2013, arXiv 1311.2901, section 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from app.vision.partial_forward import partial_forward
from app.vision.units import Unit
from models.graph import INPUT, Network


@dataclass(frozen=True, slots=True)
class OcclusionPatch:
    """A square of `side` pixels, moved by `stride`; clipped at the picture's edge."""

    side: int
    stride: int

    def places(self, size: int) -> list[tuple[int, int]]:
        """First and one-past-last pixel of each position along an axis of `size` pixels.

        Raises `ValueError` for a patch that does not fit.
        """
        if not 1 <= self.side <= size or self.stride < 1:
            raise ValueError(f"a patch of {self.side} by {self.stride} over {size} pixels")
        count = ceil((size - self.side) / self.stride) + 1
        starts = [i * self.stride for i in range(count)]
        return [(first, min(size, first + self.side)) for first in starts]


@dataclass(frozen=True, slots=True)
class CoveredPlaces:
    """Patch positions of one row from `column` on; `drops` [n] is how much lower the unit is.

    Rows and columns of positions count from 0.
    """

    row: int
    drops: Tensor
    column: int = 0


def occlude(
    network: Network,
    picture: Tensor,
    unit: Unit,
    patch: OcclusionPatch,
    fill: Tensor | float = 0.0,
    batch: int = 32,
    first: int = 0,
) -> Iterator[CoveredPlaces]:
    """Yield the drops row by row, from row `first` on, for a normalised picture [3,S,S].

    `fill` is the patch's normalised colour: 0 is the data set's mean, [3,1,1] any other. The unit
    may be one of the softmax: then drops are probabilities. Computed up to the unit's step; at most
    `batch` pictures form a batch, and a longer row is yielded in parts. Raises what `run` raises.
    """
    rows, columns = (patch.places(size) for size in picture.shape[1:])
    with torch.inference_mode():
        whole = _values(network, picture[None], unit)
    for row, (top, bottom) in enumerate(rows[first:], first):
        for start in range(0, len(columns), batch):
            part = columns[start : start + batch]
            with torch.inference_mode():
                pictures = picture.repeat(len(part), 1, 1, 1)
                for one, (left, right) in zip(pictures, part, strict=True):
                    one[:, top:bottom, left:right] = fill
                drops = whole - _values(network, pictures, unit)
            yield CoveredPlaces(row, drops, start)


def _values(network: Network, pictures: Tensor, unit: Unit) -> Tensor:
    return unit.value(partial_forward(network, {INPUT: pictures}, [unit.step])[unit.step])
