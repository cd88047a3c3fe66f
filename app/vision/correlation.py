"""How similar are two maps, whatever their scales? Pearson's correlation."""

from __future__ import annotations

import torch
from torch import Tensor


def pearson(one: Tensor, other: Tensor) -> float | None:
    """Pearson's r of two maps [H,W] in -1..1, both cropped to the centre they have in common.

    1 is the same pattern, 0 no correlation, -1 the opposite; None where a map is constant, or the
    common centre is empty.
    """
    height, width = (min(a, b) for a, b in zip(one.shape, other.shape, strict=True))
    a, b = (centre(values, height, width).double().flatten() for values in (one, other))
    if not len(a):
        return None
    with torch.inference_mode():
        a, b = a - a.mean(), b - b.mean()
        scale = float(a.norm() * b.norm())
        # Differences as small as rounding are no pattern.
        return float(a @ b) / scale if scale > 1e-9 * len(a) else None


def centre(values: Tensor, height: int, width: int) -> Tensor:
    """The centre of a map [H,W]."""
    top, left = (values.shape[0] - height) // 2, (values.shape[1] - width) // 2
    return values[top : top + height, left : left + width]
