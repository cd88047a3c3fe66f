"""Where books and networks differ: a sum or an average, the kernel as it is or turned round."""

from __future__ import annotations

from torch import Tensor

from app.vision.window import Window


def averaged(sums: Tensor, window: Window) -> Tensor:
    """Each sum of a convolution divided by the cells of its kernel, of any shape.

    Of a kernel and a picture of ones and minus ones a perfect match then reads 1.
    """
    return sums / cells(window)


def cells(window: Window) -> int:
    """Numbers in the window's kernel."""
    return window.kernel[0] * window.kernel[1]


def turned(kernels: Tensor) -> Tensor:
    """Kernels [...,kh,kw] turned by half a circle: sliding these is mathematics' convolution.

    Networks slide theirs as they are (cross-correlation); learned numbers do not mind.
    """
    return kernels.flip(-2, -1)
