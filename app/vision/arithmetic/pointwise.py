"""The arithmetic of one cell of ReLU, batch normalisation, concat and flatten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class ReluCell:
    """`value = max(0, given)`.

    `given` is the input; `cut` is 0, or the magnitude of a negative input; `zeros` counts the zero
    cells of this map's output, of `count`; `layer_zeros` is their share of the whole layer, 0..1.
    """

    value: float
    given: float
    zeros: int
    count: int
    layer_zeros: float

    @property
    def cut(self) -> float:
        """How far below zero the input is; 0 where it is not."""
        return max(0.0, -self.given)


@dataclass(frozen=True, slots=True)
class NormCell:
    """`value = scale (given - mean) / sqrt(variance + epsilon) + shift`, one channel's constants.

    Source: Ioffe and Szegedy 2015, with the running statistics of the training.
    """

    value: float
    given: float
    mean: float
    variance: float
    epsilon: float
    scale: float
    shift: float

    @property
    def spread(self) -> float:
        """The standard deviation that is divided by."""
        return sqrt(self.variance + self.epsilon)

    @property
    def total(self) -> float:
        """The formula in float64."""
        return self.scale * (self.given - self.mean) / self.spread + self.shift

    @property
    def magnitude(self) -> float:
        """Sum of the magnitudes of the terms."""
        factor = abs(self.scale) / self.spread
        return factor * (abs(self.given) + abs(self.mean)) + abs(self.shift)


@dataclass(frozen=True, slots=True)
class CopyCell:
    """A number that concat or flatten copied from (channel, y, x) of `source`.

    y and x are 0 where the source has no rows and columns.
    """

    value: float
    source: str
    channel: int
    y: int
    x: int


def relu_cell(inputs: Tensor, channel: int, cell: tuple[int, int]) -> ReluCell:
    """The arithmetic of one cell of `max(0, x)` over [C,H,W], or over [K] at cell (0, 0)."""
    grid = inputs[channel].reshape(-1, inputs.shape[2] if inputs.ndim == 3 else 1)
    given = grid[cell].item()
    return ReluCell(
        max(0.0, given),
        given,
        int((grid <= 0).sum()),
        grid.numel(),
        1 - int(torch.count_nonzero(inputs > 0)) / inputs.numel(),
    )


def norm_cell(module: nn.BatchNorm2d, given: float, value: float, channel: int) -> NormCell:
    """The arithmetic of one cell of batch normalisation in evaluation mode."""

    def of(values: Tensor | None, default: float) -> float:
        return default if values is None else values[channel].item()

    return NormCell(
        value,
        given,
        of(module.running_mean, 0.0),
        of(module.running_var, 1.0),
        module.eps,
        of(module.weight, 1.0),
        of(module.bias, 0.0),
    )


def concat_cell(
    sources: tuple[tuple[str, int], ...], channel: int, cell: tuple[int, int], value: float
) -> CopyCell:
    """The source of a channel; `sources` are pairs of a name and its number of channels."""
    for name, channels in sources:
        if channel < channels:
            return CopyCell(value, name, channel, *cell)
        channel -= channels
    raise ValueError("the channel lies behind all sources")


def flatten_cell(source: str, shape: torch.Size, index: int, value: float) -> CopyCell:
    """The source of number `index` of a flattened [C,H,W]: index = (c H + y) W + x."""
    return CopyCell(value, source, *unflattened(shape, index))


def unflattened(shape: Sequence[int], index: int) -> tuple[int, int, int]:
    """Channel, row and column of number `index` in flattened maps of shape (C, H, W)."""
    rest, x = divmod(index, shape[2])
    return *divmod(rest, shape[1]), x
