"""A small picture and its kernel: parsed from the URL, validated and computed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from app.errors import BadRequest
from app.vision.arithmetic.conventions import averaged, cells, turned
from app.vision.arithmetic.convolution import ConvCell, conv_cell, convolve
from app.vision.arithmetic.pooling import PoolCell, max_pool, pool_cell
from app.vision.window import Window
from app.web.core.url_view import Switch, UrlView
from app.web.lab.lab_query import LabQuery, Numbers, exact, hundredths, resquared, side_of
from app.web.lab.row_view import DILATIONS, MODES, PADDINGS, STRIDES
from app.web.lab.words import Pair

SIDES, KERNELS, POOLS = range(3, 10), range(1, 6), range(1, 4)

CLASSROOM: tuple[float, ...] = (
    1, 1, 1, 0, 0,
    0, 1, 1, 1, 0,
    0, 0, 1, 1, 1,
    0, 0, 1, 1, 0,
    0, 1, 1, 0, 0,
)  # fmt: skip
CROSS: tuple[float, ...] = (1, 0, 1, 0, 1, 0, 1, 0, 1)


class GridView(UrlView):
    """What is on screen, all of it in the URL.

    `y`, `x` name a cell of the result, `py`, `px` one of the pooled map, all from 0.
    """

    page: ClassVar[str] = "/lab/grid"

    picture: Numbers = CLASSROOM
    kernel: Numbers = CROSS
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    mode: str = "sum"
    turn: Switch = False
    pool: int = 2
    pool_stride: int = 1
    y: int = 0
    x: int = 0
    py: int = 0
    px: int = 0

    @property
    def side(self) -> int:
        """Rows of the picture."""
        return math.isqrt(len(self.picture))

    @property
    def kernel_side(self) -> int:
        """Rows of the kernel."""
        return math.isqrt(len(self.kernel))

    @property
    def window(self) -> Window:
        """The kernel's window."""
        k, s, p, d = self.kernel_side, self.stride, self.padding, self.dilation
        return Window((k, k), (s, s), (p, p), (d, d))

    @property
    def pooling(self) -> Window:
        """The pooling's window."""
        return Window((self.pool, self.pool), (self.pool_stride, self.pool_stride))

    @property
    def out(self) -> int:
        """Rows of the result."""
        return self.window.outputs((self.side, self.side))[0]

    @property
    def pooled(self) -> int:
        """Rows of the pooled map; below 1 where its window does not fit."""
        return self.pooling.outputs((self.out, self.out))[0]


PLAIN = GridView()


@dataclass(frozen=True, slots=True)
class GridResult:
    """The results of a view: the map [H',W'], the pinned cell, the map after ReLU.

    `pooled` is None if the pooling's window does not fit.
    """

    view: GridView
    inputs: Tensor
    values: Tensor
    cell: ConvCell
    rectified: Tensor
    pooled: Tensor | None

    @property
    def cells(self) -> int:
        """The divisor of a sum; 0 if it is not averaged."""
        return cells(self.view.window) if self.view.mode == "average" else 0

    def text(self, value: float) -> str:
        """A number of the result as text."""
        return hundredths(value) if self.view.mode == "average" else exact(value)

    @property
    def pairs(self) -> list[Pair]:
        """Input number and weight under the window, in reading order."""
        patch, kernel = self.cell.patch.flatten(), self.cell.kernel.flatten()
        return list(zip(patch.tolist(), kernel.tolist(), strict=True))

    @property
    def value(self) -> float:
        """The result at the pinned cell."""
        return self.values[self.view.y, self.view.x].item()

    @property
    def pool_cell(self) -> PoolCell | None:
        """The pinned cell of the pooled map."""
        if self.pooled is None:
            return None
        at = self.view.py, self.view.px
        return pool_cell(self.view.pooling, self.rectified, self.pooled[at].item(), at)


def read(query: LabQuery) -> GridView:
    """The view of a request, without its cells. Raises `BadRequest`."""
    picture = query.numbers("picture", PLAIN.picture, "The picture")
    kernel = query.numbers("kernel", PLAIN.kernel, "The kernel")
    old = side_of(picture, SIDES[0], SIDES[-1], "The picture")
    old_kernel = side_of(kernel, KERNELS[0], KERNELS[-1], "The kernel")
    side = query.whole("side", old, SIDES[0], SIDES[-1], "The picture’s side")
    kernel_side = query.whole("size", old_kernel, KERNELS[0], KERNELS[-1], "Kernel size")
    view = GridView(
        picture=resquared(picture, side, centred=False),
        kernel=resquared(kernel, kernel_side, centred=True),
        stride=query.whole("stride", 1, STRIDES[0], STRIDES[-1], "Stride"),
        padding=query.whole("padding", 0, PADDINGS[0], PADDINGS[-1], "Padding"),
        dilation=query.whole("dilation", 1, DILATIONS[0], DILATIONS[-1], "Dilation"),
        mode=query.choice("mode", MODES, "The switch"),
        turn=query.flag("turn"),
        pool=query.whole("pool", PLAIN.pool, POOLS[0], POOLS[-1], "The pooling’s window"),
        pool_stride=query.whole(
            "pool_stride", PLAIN.pool_stride, POOLS[0], POOLS[-1], "The pooling’s stride"
        ),
    )
    if misfit := view.window.misfit((side, side)):
        raise BadRequest(misfit)
    return view


def placed(query: LabQuery, view: GridView) -> GridView:
    """The view with the cells of the request. Raises `BadRequest` for a cell outside the map."""
    result, pooled = view.out - 1, max(0, view.pooled - 1)
    return view.changed(
        y=query.whole("y", 0, 0, result, "The result’s row", f"0 to {result}"),
        x=query.whole("x", 0, 0, result, "The result’s column", f"0 to {result}"),
        py=query.whole("py", 0, 0, pooled, "The pooled map’s row", f"0 to {pooled}"),
        px=query.whole("px", 0, 0, pooled, "The pooled map’s column", f"0 to {pooled}"),
    )


def work(view: GridView) -> GridResult:
    """Convolve the picture, rectify, pool."""
    inputs = torch.tensor(view.picture, dtype=torch.float64).view(1, view.side, view.side)
    k = view.kernel_side
    kernel = torch.tensor(view.kernel, dtype=torch.float64).view(1, k, k)
    kernel = turned(kernel) if view.turn else kernel
    sums = convolve(inputs, kernel[None], view.window)[0]
    at = view.y, view.x
    cell = conv_cell(view.window, inputs, kernel, 0.0, sums[at].item(), at)
    values = averaged(sums, view.window) if view.mode == "average" else sums
    rectified = values.clamp_min(0)
    pooled = max_pool(rectified[None], view.pooling)[0] if view.pooled >= 1 else None
    return GridResult(view, inputs[0], values, cell, rectified, pooled)
