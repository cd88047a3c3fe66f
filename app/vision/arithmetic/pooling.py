"""The arithmetic of one cell of max pooling (a window) or average pooling (a whole map)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

import torch
import torch.nn.functional as F
from torch import Tensor

from app.vision.window import Window


@dataclass(frozen=True, slots=True)
class PoolCell:
    """Output cell (y, x) of a max pooling.

    `patch` is [kh,kw], minus infinity outside the map; `winner` is (row, column) in the input map,
    the first in reading order of `ties` equal ones; `wins` counts all windows whose maximum it is.
    """

    y: int
    x: int
    value: float
    patch: Tensor
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    winner: tuple[int, int]
    ties: int
    wins: int

    @property
    def numbers(self) -> list[list[float | None]]:
        """The window row by row, None outside the map."""
        return [[v if isfinite(v) else None for v in row] for row in self.patch.tolist()]


@dataclass(frozen=True, slots=True)
class MeanCell:
    """The mean of a whole map [H,W]: `value = sum of grid / count`; `grid` is float64."""

    value: float
    grid: Tensor

    @property
    def count(self) -> int:
        """Number of cells of the map."""
        return self.grid.numel()

    @property
    def total(self) -> float:
        """The mean in float64."""
        return float(self.grid.sum()) / self.count

    @property
    def magnitude(self) -> float:
        """Mean of the magnitudes."""
        return float(self.grid.abs().sum()) / self.count


def max_pool(inputs: Tensor, window: Window) -> Tensor:
    """The largest value of each window over maps [C,H,W]: [C,H',W'].

    Raises `ValueError` where the window does not fit.
    """
    if misfit := window.misfit((inputs.shape[1], inputs.shape[2])):
        raise ValueError(misfit)
    with torch.inference_mode():
        return F.max_pool2d(
            inputs[None],
            window.kernel,
            window.stride,
            window.padding,
            window.dilation,
            ceil_mode=window.ceil_mode,
        )[0]


def pool_cell(window: Window, grid: Tensor, value: float, cell: tuple[int, int]) -> PoolCell:
    """The arithmetic of output cell (row, column) over one map [H,W]."""
    y, x = cell
    rows, columns = window.reads(y, x)
    patch = window.patch(grid[None], y, x, beyond=-inf)[0]
    winner = _winner(patch, rows, columns)
    down, across = window.outputs((grid.shape[0], grid.shape[1]))
    wins = sum(
        winner == _first(window, grid, i, j)
        for i in _near(winner[0], window, 0, down)
        for j in _near(winner[1], window, 1, across)
    )
    ties = int((patch == patch.max()).sum())
    return PoolCell(y, x, value, patch.cpu(), tuple(rows), tuple(columns), winner, ties, wins)


def mean_cell(grid: Tensor, value: float) -> MeanCell:
    """The arithmetic of the mean of one map [H,W]."""
    return MeanCell(value, grid.cpu().double())


def _first(window: Window, grid: Tensor, y: int, x: int) -> tuple[int, int]:
    rows, columns = window.reads(y, x)
    return _winner(window.patch(grid[None], y, x, beyond=-inf)[0], rows, columns)


def _winner(patch: Tensor, rows: list[int], columns: list[int]) -> tuple[int, int]:
    """Row and column of the largest value, the first in reading order."""
    down, across = divmod(int(patch.argmax()), patch.shape[1])
    return rows[down], columns[across]


def _near(place: int, window: Window, axis: int, cells: int) -> range:
    """Output cells along one axis whose window can contain the input cell `place`."""
    stride, padding = window.stride[axis], window.padding[axis]
    first = -(-(place + padding - window.extent[axis] + 1) // stride)
    return range(max(0, first), min(cells, (place + padding) // stride + 1))
