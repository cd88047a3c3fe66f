"""Translation equivariance: how do maps change when the input is shifted?"""

from __future__ import annotations

import torch
from torch import Tensor


def shifted(pixels: Tensor, dx: int, dy: int) -> Tensor:
    """Shift a picture [C,H,W] by dx to the right and dy down; the edge is repeated."""
    height, width = pixels.shape[1:]
    rows = (torch.arange(height) - dy).clamp(0, height - 1)
    columns = (torch.arange(width) - dx).clamp(0, width - 1)
    return pixels[:, rows][:, :, columns]


def relative_change(before: Tensor, after: Tensor) -> float:
    """Relative L2 distance ||after - before|| / ||before||; 0 where both are zero."""
    size = float(before.double().norm())
    apart = float((after.double() - before.double()).norm())
    return apart / size if size else float(apart > 0)


def unchanged_cells(before: Tensor, after: Tensor, tolerance: float = 0.05) -> int:
    """Number of cells that changed by at most `tolerance` times the map's largest magnitude."""
    limit = tolerance * float(before.abs().max())
    return int(((after - before).abs() <= limit).sum())
