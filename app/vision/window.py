"""Sliding windows of convolution and pooling: kernel size, stride, padding, dilation.

The same for the networks and for a picture of five by five numbers; the convention is
`torch.nn.functional`'s: zero padding beyond the edge, a last window only where it fits completely.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from app.vision.geometry import output_size
from models.graph import Pair, Step


@dataclass(frozen=True, slots=True)
class Window:
    """A window of `kernel` cells; every pair is (down, across).

    `dilation` is the distance between neighbouring cells of the kernel, `padding` the width of the
    zeros around the map. With `ceil_mode` a last, partly filled window counts too.
    """

    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    ceil_mode: bool = False

    @classmethod
    def of(cls, step: Step) -> Window:
        """The window of a convolution or a max pooling. Raises `ValueError` for other steps."""
        if step.kernel is None or step.stride is None or step.padding is None:
            raise ValueError(f"{step.name!r} is a {step.kind} without a window")
        return cls(step.kernel, step.stride, step.padding, ceil_mode=step.ceil_mode)

    @property
    def extent(self) -> Pair:
        """Cells from the window's first to its last, both included: (k - 1) d + 1."""
        down, across = ((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        return down, across

    def outputs(self, size: Pair) -> Pair:
        """Rows and columns of the output over a map of `size`; below 1 where nothing fits."""
        down, across = (
            output_size(n, e, s, p, self.ceil_mode)
            for n, e, s, p in zip(size, self.extent, self.stride, self.padding, strict=True)
        )
        return down, across

    def start(self, y: int, x: int) -> Pair:
        """Row and column of the map under the window's first cell; negative in the padding."""
        return y * self.stride[0] - self.padding[0], x * self.stride[1] - self.padding[1]

    def reads(self, y: int, x: int) -> tuple[list[int], list[int]]:
        """Rows and columns of the map under output cell (y, x); outside the map in the padding."""
        rows, columns = (
            [first + i * d for i in range(k)]
            for first, k, d in zip(self.start(y, x), self.kernel, self.dilation, strict=True)
        )
        return rows, columns

    def beyond(self, size: Pair, y: int, x: int) -> tuple[Pair, ...]:
        """The cells (i, j) of the window that lie outside a map of `size` at output cell (y, x)."""
        rows, columns = self.reads(y, x)
        return tuple(
            (i, j)
            for i, row in enumerate(rows)
            for j, column in enumerate(columns)
            if not (0 <= row < size[0] and 0 <= column < size[1])
        )

    def patch(self, inputs: Tensor, y: int, x: int, beyond: float = 0.0) -> Tensor:
        """Values under output cell (y, x) of maps [C,H,W]: [C,kh,kw], `beyond` outside the map."""
        (top, left), (height, width) = self.start(y, x), self.extent
        rows, columns = inputs.shape[1:]
        bottom, right = top + height, left + width
        part = inputs[:, max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        around = (
            *(min(width, max(0, out)) for out in (-left, right - columns)),
            *(min(height, max(0, out)) for out in (-top, bottom - rows)),
        )
        with torch.inference_mode():
            whole = F.pad(part, around, value=beyond) if any(around) else part
        return whole[:, :: self.dilation[0], :: self.dilation[1]]

    def coverage(self, size: Pair) -> Tensor:
        """How many windows read each cell of a map of `size`: int64 [H,W].

        Cells at the border are read less often, so they have less influence.
        """
        counts = torch.zeros(size, dtype=torch.int64)
        down, across = self.outputs(size)
        for y in range(max(0, down)):
            rows = [row for row in self.reads(y, 0)[0] if 0 <= row < size[0]]
            for x in range(max(0, across)):
                columns = [c for c in self.reads(0, x)[1] if 0 <= c < size[1]]
                for row in rows:
                    counts[row, columns] += 1
        return counts

    def misfit(self, size: Pair) -> str:
        """Why the window does not fit a map of `size`, in a sentence; "" where it fits."""
        if min(*self.kernel, *self.stride, *self.dilation) < 1 or min(self.padding) < 0:
            return "Kernel, stride and dilation are at least 1, padding at least 0."
        for name, n, e, p in zip(("rows", "columns"), size, self.extent, self.padding, strict=True):
            if e > n + 2 * p:
                padded = f" and {2 * p} of padding" if p else ""
                return (
                    f"The window reaches over {e} {name}, and the picture has only {n}{padded}: "
                    "take a smaller kernel or dilation, or more padding."
                )
        return ""
