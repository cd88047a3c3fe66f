"""Data augmentation: random crops, rotation, mirroring, colour changes, CutMix."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

RATIO = math.log(4 / 3)  # crops are at most 4:3 or 3:4


def uniform(generator: torch.Generator, count: int, low: float, high: float) -> Tensor:
    """`count` random numbers in low..high, drawn on the CPU, so that a GPU gets the same ones."""
    return torch.rand(count, generator=generator) * (high - low) + low


def random_crop(pixels: Tensor, area: float, turn: float, generator: torch.Generator) -> Tensor:
    """Crop each picture to `area`..1 of its area, rotate by up to `turn` degrees, mirror half.

    Crops are up to 4:3 or 3:4, and at most as wide and high as the picture. `pixels` is
    float [N,3,S,S]; pixels from outside the picture are reflected at its edge.
    """
    count = len(pixels)
    share = uniform(generator, count, area, 1)
    ratio = uniform(generator, count, -RATIO, RATIO).exp()
    wide, high = (share * ratio).sqrt().clamp(max=1), (share / ratio).sqrt().clamp(max=1)
    angle = uniform(generator, count, -math.radians(turn), math.radians(turn))
    mirror = torch.randint(2, (count,), generator=generator) * 2.0 - 1
    maps = torch.zeros(count, 2, 3)
    maps[:, 0, 0], maps[:, 0, 1] = wide * mirror * angle.cos(), -high * angle.sin()
    maps[:, 1, 0], maps[:, 1, 1] = wide * mirror * angle.sin(), high * angle.cos()
    maps[:, 0, 2] = uniform(generator, count, -1, 1) * (1 - wide)
    maps[:, 1, 2] = uniform(generator, count, -1, 1) * (1 - high)
    grid = F.affine_grid(maps.to(pixels.device), list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)


def jitter_colour(pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Change saturation, contrast and brightness by factors of 1 - strength..1 + strength."""

    def factor() -> Tensor:
        drawn = uniform(generator, len(pixels), 1 - strength, 1 + strength)
        return drawn.view(-1, 1, 1, 1).to(pixels.device)

    grey = pixels.mean(1, keepdim=True)
    pixels = torch.lerp(grey, pixels, factor())
    mean = grey.mean((2, 3), keepdim=True)
    return torch.lerp(mean, pixels, factor()) * factor()


@dataclass(frozen=True, slots=True)
class Mixed:
    """A batch after CutMix: `share` of each picture is its own, the rest is from `other`."""

    pixels: Tensor
    other: Tensor
    share: float


def cutmix(pixels: Tensor, generator: torch.Generator) -> Mixed:
    """CutMix: replace the same box in each picture by another's (arXiv 1905.04899).

    `other` are indices [N]. The box covers a share drawn uniformly from 0..1, less what is outside.
    """
    side = pixels.shape[-1]
    other = torch.randperm(len(pixels), generator=generator).to(pixels.device)
    half = int(side * math.sqrt(torch.rand(1, generator=generator).item())) // 2
    y, x = torch.randint(side, (2,), generator=generator).tolist()
    top, left, bottom, right = max(0, y - half), max(0, x - half), y + half, x + half
    box = (slice(None), slice(None), slice(top, bottom), slice(left, right))
    taken = pixels[box].shape[2] * pixels[box].shape[3]
    mixed = pixels.clone()
    mixed[box] = pixels[other][box]
    return Mixed(mixed, other, 1 - taken / side**2)
