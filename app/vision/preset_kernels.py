"""Preset kernels made by hand (Sobel, Laplacian, Gaussian …), older than learned ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Kernel:
    """A preset kernel: `numbers` row by row, each to be divided by `by`."""

    id: str
    title: str
    sentence: str
    numbers: tuple[float, ...]
    by: float = 1

    @property
    def side(self) -> int:
        """Side of the kernel."""
        return math.isqrt(len(self.numbers))

    @property
    def weights(self) -> Tensor:
        """The kernel as a tensor, [k,k] in float64."""
        return torch.tensor(self.numbers, dtype=torch.float64).view(self.side, self.side) / self.by


PRESET_KERNELS = (
    Kernel("identity", "As it is", "Leaves every pixel as it was.",
           (0, 0, 0, 0, 1, 0, 0, 0, 0)),
    Kernel("edge", "Edge", "Laplacian: responds wherever a pixel differs from those around it.",
           (0, 1, 0, 1, -4, 1, 0, 1, 0)),
    Kernel("sobel-x", "Vertical edges", "Sobel: brighter at the right is above zero.",
           (-1, 0, 1, -2, 0, 2, -1, 0, 1)),
    Kernel("sobel-y", "Horizontal edges", "Sobel: brighter below is above zero.",
           (-1, -2, -1, 0, 0, 0, 1, 2, 1)),
    Kernel("blur", "Blur", "Box: the mean of nine pixels.",
           (1, 1, 1, 1, 1, 1, 1, 1, 1), 9),
    Kernel("gauss", "Soft blur", "Gaussian, 5 by 5: near pixels count more than far ones.",
           tuple(a * b for a in (1, 4, 6, 4, 1) for b in (1, 4, 6, 4, 1)), 256),
    Kernel("sharpen", "Sharpen", "The pixel, and what sets it apart from those around it.",
           (0, -1, 0, -1, 5, -1, 0, -1, 0)),
    Kernel("emboss", "Emboss", "As if lit from one corner: the slope, added to the pixel.",
           (-2, -1, 0, -1, 1, 1, 0, 1, 2)),
)  # fmt: skip
"""For cross-correlation, as everywhere here: not flipped."""


def preset_kernel(id: str) -> Kernel | None:
    """The kernel of that id, None where there is none."""
    return next((one for one in PRESET_KERNELS if one.id == id), None)
