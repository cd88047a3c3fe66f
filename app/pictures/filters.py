"""How are a convolution's kernels drawn? The first layer's in RGB, others slice by slice."""

from collections.abc import Sequence
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from app.pictures.encode import encode_png
from app.pictures.sheets import Sheet, arrange, quantise, sheet, tile


def colour_filters(
    weight: Tensor, scale: Literal["unit", "layer"] = "unit", columns: int | None = None
) -> Sheet:
    """Draw the first layer's kernels [O, 3, kh, kw] as RGB tiles, a zero weight as mid grey 128.

    A tile shows 128 + 127 w / max|w|, the maximum over the kernel (`unit`) or over all (`layer`).
    """
    magnitude = weight.detach().abs()
    peak = magnitude.amax((1, 2, 3)) if scale == "unit" else magnitude.max()
    values = quantise(weight.detach(), peak)
    layout = arrange(len(weight), weight.shape[2], weight.shape[3], columns)
    channels = [tile(values[:, colour], layout.columns) for colour in range(3)]
    pixels = torch.stack(channels, dim=-1).cpu().contiguous().numpy()
    return Sheet(encode_png(Image.fromarray(pixels)), layout, reduced=False)


def kernel_slices(
    weight: Tensor,
    order: Sequence[int],
    peak: float | None = None,
    columns: int | None = None,
) -> Sheet:
    """Draw one kernel [I, kh, kw] in the signed palette, a tile for each input channel in `order`.

    `peak` is the limit of the scale, by default the kernel's own largest magnitude.
    """
    limit = float(weight.detach().abs().max()) if peak is None else peak
    return sheet(weight.detach()[list(order)], limit, "signed", columns=columns)


def slice_order(kernel: Tensor) -> list[int]:
    """Input channels of one kernel [I, kh, kw], the one with the largest weights (L2) first."""
    order: list[int] = kernel.flatten(1).norm(dim=1).argsort(descending=True, stable=True).tolist()
    return order
