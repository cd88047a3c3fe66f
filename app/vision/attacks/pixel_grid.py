"""Quantisation: from floats to an 8-bit picture that can be saved, and the change's norms."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

WHITE = 255


@dataclass(frozen=True, slots=True)
class AttackStep:
    """N 8-bit pictures at one step of an attack, and the logits of exactly these pixels.

    `pixels` is uint8 [N,3,S,S], `logits` [N,K]; number 0 is the clean pictures. `margin` says that
    cross-entropy had no gradient here, `repaired` that rounding had undone the attack.
    """

    number: int
    pixels: Tensor
    logits: Tensor
    margin: bool = False
    repaired: bool = False


def eight_bit(pixels: Tensor) -> Tensor:
    """Whole-numbered floats as uint8."""
    return pixels.to(torch.uint8)


def on_grid(x: Tensor, start: Tensor, limit: float | Tensor = WHITE) -> Tensor:
    """Round floats `x` in 0..255 to whole numbers, each at most floor(limit) away from `start`.

    `start` is whole-numbered; halves round away from it: a change of 0.5 becomes 1. `limit` may be
    one for each picture, [N,1,1,1].
    """
    change = x - start
    whole = change.sign() * (change.abs() + 0.5).floor()
    most = torch.as_tensor(limit, dtype=torch.float64).floor().to(start)
    return (start + whole.clamp(-most, most)).clamp(0, WHITE)


def on_grid_within(x: Tensor, start: Tensor, norm: float) -> Tensor:
    """Round like `on_grid`, with an L2 change of at most `norm`: larger ones are scaled down."""
    shown, scale = on_grid(x, start), 1.0
    while (over := l2(shown, start) > norm).any():
        scale *= 0.98
        smaller = on_grid(start + (x - start) * scale, start)
        shown = torch.where(over[:, None, None, None], smaller, shown)
    return shown


def linf(pixels: Tensor, start: Tensor) -> Tensor:
    """L-infinity norm: the largest change of a pixel value of each of N pictures, [N]."""
    return _change(pixels, start).abs().amax(1)


def l2(pixels: Tensor, start: Tensor) -> Tensor:
    """L2 norm of the change in pixel values of each of N pictures, float64 [N]."""
    change = _change(pixels, start)
    norms: Tensor = torch.linalg.vector_norm(change, dim=1, dtype=torch.float64)
    return norms


def _change(pixels: Tensor, start: Tensor) -> Tensor:
    """The changes as rows of floats, which represent whole pixel values exactly."""
    return (pixels.float() - start.float()).flatten(1)
