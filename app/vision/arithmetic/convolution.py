"""The arithmetic of one cell of a convolution: patch times kernel, summed, plus the bias."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from app.vision.window import Window


@dataclass(frozen=True, slots=True)
class ConvCell:
    """Output cell (y, x): `value = bias + sum of products`, up to float32's rounding.

    `value` is the float in the network's tensor. `patch` and `kernel` are [C,kh,kw] in float64,
    zeros where padding lies; `rows` and `columns` are the input rows and columns of the patch.
    """

    y: int
    x: int
    value: float
    bias: float
    patch: Tensor
    kernel: Tensor
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def products(self) -> Tensor:
        """Each number of the patch times its weight, [C,kh,kw]."""
        return self.patch * self.kernel

    @property
    def terms(self) -> Tensor:
        """The contribution of each input map, [C]."""
        return self.products.sum((1, 2))

    @property
    def total(self) -> float:
        """Bias and products added up in float64."""
        return self.bias + float(self.products.sum())

    @property
    def magnitude(self) -> float:
        """Sum of the magnitudes of bias and products: rounding is measured against it."""
        return abs(self.bias) + float(self.products.abs().sum())


def convolve(inputs: Tensor, kernels: Tensor, window: Window, bias: Tensor | None = None) -> Tensor:
    """Slide kernels [K,C,kh,kw] over maps [C,H,W]: [K,H',W'], in the inputs' precision.

    Cross-correlation, as in every network: the kernel is not flipped.
    Raises `ValueError` where the window does not fit.
    """
    if misfit := window.misfit((inputs.shape[1], inputs.shape[2])):
        raise ValueError(misfit)
    with torch.inference_mode():
        return F.conv2d(
            inputs[None],
            kernels.to(inputs.dtype),
            None if bias is None else bias.to(inputs.dtype),
            window.stride,
            window.padding,
            window.dilation,
        )[0]


def conv_cell(
    window: Window,
    inputs: Tensor,
    kernel: Tensor,
    bias: float,
    value: float,
    cell: tuple[int, int],
    *,
    rectify: bool = False,
) -> ConvCell:
    """The arithmetic of output cell (row, column) from maps [C,H,W] and one kernel [C,kh,kw].

    `value` is the network's own output there. With `rectify` the inputs are those of the ReLU
    before, and the ReLU is applied to the patch only.
    """
    y, x = cell
    patch = window.patch(inputs, y, x)
    if rectify:
        patch = patch.clamp_min(0)
    rows, columns = window.reads(y, x)
    return ConvCell(
        y,
        x,
        value,
        bias,
        patch.cpu().double(),
        kernel.detach().cpu().double(),
        tuple(rows),
        tuple(columns),
    )
