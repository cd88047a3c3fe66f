"""Random transformations of a picture during synthesis: they suppress high-frequency noise.

Pad by 12 with grey, crop by 8 at random, scale by 0.90 to 1.10, turn by -10 to 10 degrees, crop at
random to the picture's own size: instead of four interpolations and copies, one affine map.
Source: as in `spectrum`; there the last crop is by 4 pixels and the view changes its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import torch
import torch.nn.functional as F
from torch import Tensor

PAD, FIRST_CROP = 12, 8
SCALES = tuple(0.9 + 0.02 * i for i in range(11))
TURNS = (*range(-10, 11), 0, 0, 0, 0, 0)
"""Degrees; 0 is more likely than any other."""


@dataclass(frozen=True, slots=True)
class SeenView:
    """One random view of a picture of `size` pixels a side.

    `first` and `last` are the offsets (down, across) of the two crops, in pixels before cropping.
    """

    size: int
    first: tuple[int, int]
    scale: float
    turn: float
    last: tuple[int, int]

    @classmethod
    def random(cls, size: int, generator: torch.Generator) -> SeenView:
        """A view drawn at random."""
        a, b, c, d, e, f = torch.randint(2**31, (6,), generator=generator).tolist()
        scale, turn = SCALES[a % len(SCALES)], float(TURNS[b % len(TURNS)])
        # A large picture that is scaled down leaves nothing to crop: the view shows its padding.
        room = 1 + max(0, _scaled(size, scale) - size)
        crop = 1 + FIRST_CROP
        return cls(size, (c % crop, d % crop), scale, turn, (e % room, f % room))

    def of(self, pictures: Tensor, side: int | None = None) -> Tensor:
        """Apply the view to pictures [N,3,S,S]: [N,3,side,side], `side` S by default.

        Pictures are given as differences from grey, so that the padding, 0, is grey.
        """
        grid = self._grid(side or self.size).to(pictures).expand(len(pictures), -1, -1, -1)
        return F.grid_sample(pictures, grid, align_corners=False)

    def _grid(self, side: int) -> Tensor:
        """The position in the picture of each pixel of the view: [1,side,side,2], x first, -1..1.

        Computed here because torch's affine grid takes four times as long for a small picture.
        """
        padded, scaled = self.size + 2 * PAD - FIRST_CROP, _scaled(self.size, self.scale)
        zoom = padded / scaled
        c, s = zoom * cos(radians(self.turn)), zoom * sin(radians(self.turn))
        half = self.size / 2
        # Offsets of centres: of the view in the scaled picture, of the first crop in the picture.
        down, across = (((self.size - scaled) / 2 + offset) / half for offset in self.last)
        y, x = ((padded / 2 + offset - PAD) / half - 1 for offset in self.first)
        places = (2 * torch.arange(side) + 1) / side - 1
        grid = torch.empty(1, side, side, 2)
        rows, columns = (places + down)[:, None], places + across
        torch.add(c * columns + x, rows, alpha=-s, out=grid[0, ..., 0])
        torch.add(s * columns + y, rows, alpha=c, out=grid[0, ..., 1])
        return grid


def _scaled(size: int, scale: float) -> int:
    return round((size + 2 * PAD - FIRST_CROP) * scale)
