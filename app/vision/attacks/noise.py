"""Random noise of the same norm as an attack, independent of the network: the control."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor

import torch
from torch import Tensor

from app.vision.attacks.pixel_grid import WHITE, AttackStep, eight_bit, l2, on_grid
from app.vision.attacks.pixel_model import PixelModel

HALVINGS = 40


def noise(model: PixelModel, pixels: Tensor, epsilon: float, seed: int = 0) -> Iterator[AttackStep]:
    """Yield the pictures, then the same with random sign noise of floor(epsilon)."""
    yield AttackStep(0, pixels, model.logits(pixels.to(model.device).float()))
    noisy = sign_noise(pixels, epsilon, seed)
    yield AttackStep(1, noisy, model.logits(noisy.to(model.device).float()))


def sign_noise(pixels: Tensor, epsilon: float, seed: int = 0) -> Tensor:
    """Move each value of uint8 [N,3,S,S] up or down by floor(epsilon), at random.

    Clipped at black and white: a value of a black picture goes up or stays.
    """
    generator = torch.Generator().manual_seed(seed)
    signs = torch.randint(0, 2, pixels.shape, generator=generator).to(pixels.device) * 2 - 1
    return eight_bit((pixels.int() + floor(epsilon) * signs).clamp(0, WHITE))


def pixel_noise(pixels: Tensor, count: int, seed: int = 0) -> Tensor:
    """Set `count` random pixels of each of uint8 [N,3,S,S] to random corners of the colour cube."""
    generator = torch.Generator().manual_seed(seed)
    noisy = pixels.clone().flatten(2)
    for picture in noisy:
        places = torch.randperm(picture.shape[1], generator=generator)[:count]
        colours = torch.randint(0, 2, (picture.shape[0], count), generator=generator) * WHITE
        picture[:, places.to(picture.device)] = colours.to(picture)
    return noisy.view_as(pixels)


def gaussian_noise(pixels: Tensor, norm: float, seed: int = 0) -> Tensor:
    """Add normal noise of L2 norm `norm` to each of uint8 [N,3,S,S], measured after rounding.

    Its scale is found by bisection, because rounding removes small changes and black and white clip
    large ones; the norm is at most `norm` and as close as whole numbers allow.
    """
    generator = torch.Generator().manual_seed(seed)
    start = pixels.float()
    waves = torch.randn(pixels.shape, generator=generator).to(pixels.device)
    low = torch.zeros(len(pixels), 1, 1, 1, device=pixels.device)
    high = torch.full_like(low, 4.0 * WHITE)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = (l2(on_grid(start + middle * waves, start), start) <= norm)[:, None, None, None]
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return eight_bit(on_grid(start + low * waves, start))
