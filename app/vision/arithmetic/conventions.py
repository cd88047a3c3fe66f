"""Conventions that textbooks and networks differ in: sum or mean, kernel flipped or not."""

from __future__ import annotations

from torch import Tensor

from app.vision.window import Window


def averaged(sums: Tensor, window: Window) -> Tensor:
    """Divide the sums of a convolution, of any shape, by the number of cells of its kernel.

    For a kernel and a picture of +1 and -1 a perfect match then is 1.
    """
    return sums / cells(window)


def cells(window: Window) -> int:
    """Numbers in the window's kernel."""
    return window.kernel[0] * window.kernel[1]


def turned(kernels: Tensor) -> Tensor:
    """Kernels [...,kh,kw] rotated by 180 degrees: sliding these is convolution in mathematics.

    Networks compute cross-correlation (no rotation), which is equivalent for learned kernels.
    """
    return kernels.flip(-2, -1)
