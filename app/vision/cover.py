"""Interactive occlusion: how does a network respond when part of a picture is covered?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

How = Literal["grey", "blur", "noise"]
BLUR = 14
"""Side of the grid that a picture is averaged to for a blur."""


def cover(picture: Tensor, mask: Tensor, how: How = "grey", seed: int = 0) -> Tensor:
    """Cover a picture [3,H,W] in 0..1 where `mask` [H,W] is above 0: 1 fully, 0 not at all.

    `grey` is 0.5, `blur` the picture averaged to a 14x14 grid and enlarged again, `noise` uniform
    in 0..1 and deterministic for a seed. Pixels that are not covered stay the same to the last bit.
    Raises `ValueError` for a mask of another size.
    """
    if mask.shape != picture.shape[1:]:
        raise ValueError(f"a mask of {tuple(mask.shape)} over a picture of {picture.shape[1:]}")
    share = mask.to(picture).clamp(0, 1)
    return torch.where(share > 0, picture + share * (_patch(picture, how, seed) - picture), picture)


def _patch(picture: Tensor, how: How, seed: int) -> Tensor:
    if how == "grey":
        return torch.full_like(picture, 0.5)
    if how == "noise":
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(picture.shape, generator=generator).to(picture)
    few = F.adaptive_avg_pool2d(picture[None], BLUR)
    return F.interpolate(few, picture.shape[1:], mode="bilinear", align_corners=False)[0]


@dataclass(frozen=True, slots=True)
class StepChange:
    """The output of one step before and after an intervention: [C,H,W] or [K] each."""

    step: str
    before: Tensor
    after: Tensor

    @property
    def difference(self) -> Tensor:
        """`after - before`."""
        return self.after - self.before

    @property
    def relative(self) -> Tensor:
        """Relative change of each channel, ||difference|| / ||before||, [C]; 0 where both are 0."""
        size = self.before.flatten(1).norm(dim=1) if self.before.ndim > 1 else self.before.abs()
        apart = self.difference
        apart = apart.flatten(1).norm(dim=1) if apart.ndim > 1 else apart.abs()
        return torch.where(apart > 0, apart / size.clamp_min(1e-12), 0)


def limits(change: StepChange) -> tuple[float, float]:
    """Limits of the colour scales: of the maps before and after together, and of the difference."""
    both = max(float(change.before.abs().max()), float(change.after.abs().max()))
    return both, float(change.difference.abs().max())
