"""What moves when the picture moves: a shifted input, and how far two maps are apart."""

from __future__ import annotations

import torch
from torch import Tensor


def shifted(pixels: Tensor, dx: int, dy: int) -> Tensor:
    """Move a picture [C,H,W] by dx to the right and dy down; the edge it leaves is repeated."""
    height, width = pixels.shape[1:]
    rows = (torch.arange(height) - dy).clamp(0, height - 1)
    columns = (torch.arange(width) - dx).clamp(0, width - 1)
    return pixels[:, rows][:, :, columns]


def relative_change(before: Tensor, after: Tensor) -> float:
    """Relative L2 distance ||after - before|| / ||before||; 0 where both are zero."""
    size = float(before.double().norm())
    apart = float((after.double() - before.double()).norm())
    return apart / size if size else float(apart > 0)


def kept(before: Tensor, after: Tensor, tolerance: float = 0.05) -> int:
    """Cells that stayed within `tolerance` of the map's largest magnitude."""
    limit = tolerance * float(before.abs().max())
    return int(((after - before).abs() <= limit).sum())
