"""The same picture seen a little differently each time, so that no trick of single pixels lasts.

Pad by 12 with grey, crop by 8 at random, scale by 0.90 to 1.10, turn by -10 to 10 degrees, crop at
random to the picture's own size: in turn four interpolations and copies, here one affine map.
Source: as in `spectrum`; there the last crop is by 4 pixels and what is seen changes its size.
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
"""Degrees; upright comes up more often than any other."""


@dataclass(frozen=True, slots=True)
class SeenView:
    """One way to look at a picture of `size` pixels a side.

    `first` and `last` are the offsets (down, across) of the crops, in pixels of what is cropped.
    """

    size: int
    first: tuple[int, int]
    scale: float
    turn: float
    last: tuple[int, int]

    @classmethod
    def drawn(cls, size: int, lot: torch.Generator) -> SeenView:
        """A view by lot."""
        a, b, c, d, e, f = torch.randint(2**31, (6,), generator=lot).tolist()
        scale, turn = SCALES[a % len(SCALES)], float(TURNS[b % len(TURNS)])
        # A large picture, made smaller, leaves nothing to crop: its surroundings are seen.
        room = 1 + max(0, _scaled(size, scale) - size)
        crop = 1 + FIRST_CROP
        return cls(size, (c % crop, d % crop), scale, turn, (e % room, f % room))

    def of(self, pictures: Tensor, side: int | None = None) -> Tensor:
        """What is seen of pictures [N,3,S,S], 0 where nothing is: [N,3,side,side], by default S.

        Zero stands for grey: what is shown is the difference from it.
        """
        grid = self._grid(side or self.size).to(pictures).expand(len(pictures), -1, -1, -1)
        return F.grid_sample(pictures, grid, align_corners=False)

    def _grid(self, side: int) -> Tensor:
        """Where in the picture each pixel of the view lies: [1,side,side,2], x first, -1..1.

        By hand, because torch's affine grid takes four times as long for a small picture.
        """
        padded, scaled = self.size + 2 * PAD - FIRST_CROP, _scaled(self.size, self.scale)
        zoom = padded / scaled
        c, s = zoom * cos(radians(self.turn)), zoom * sin(radians(self.turn))
        half = self.size / 2
        # Centres: of the view from that of what was scaled, of the cropped part from the picture's.
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
