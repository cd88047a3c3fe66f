"""From floats to a picture that can be saved: whole pixel values, and how far they moved."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

WHITE = 255


@dataclass(frozen=True, slots=True)
class AttackStep:
    """N pictures at one moment of an attack, 8-bit, and the logits of exactly these pixels.

    `pixels` is uint8 [N,3,S,S], `logits` [N,K]; number 0 is the pictures as they were. `margin`
    says that cross-entropy had no slope here, `repaired` that rounding had undone the attack.
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
    """The whole-numbered picture for floats `x` in 0..255, no number farther than floor(limit).

    Halves go away from `start`, which is whole-numbered: a change of 0.5 is shown as 1. `limit`
    may be one for each picture, [N,1,1,1].
    """
    change = x - start
    whole = change.sign() * (change.abs() + 0.5).floor()
    most = torch.as_tensor(limit, dtype=torch.float64).floor().to(start)
    return (start + whole.clamp(-most, most)).clamp(0, WHITE)


def on_grid_within(x: Tensor, start: Tensor, norm: float) -> Tensor:
    """As `on_grid`, each picture's change of at most `norm` in L2: shrunk where rounding adds."""
    shown, scale = on_grid(x, start), 1.0
    while (over := l2(shown, start) > norm).any():
        scale *= 0.98
        smaller = on_grid(start + (x - start) * scale, start)
        shown = torch.where(over[:, None, None, None], smaller, shown)
    return shown


def linf(pixels: Tensor, start: Tensor) -> Tensor:
    """The largest change of a pixel value, for each of N pictures: [N]."""
    return _change(pixels, start).abs().amax(1)


def l2(pixels: Tensor, start: Tensor) -> Tensor:
    """Euclidean norm of the change in pixel values, for each of N pictures: float64 [N]."""
    change = _change(pixels, start)
    norms: Tensor = torch.linalg.vector_norm(change, dim=1, dtype=torch.float64)
    return norms


def _change(pixels: Tensor, start: Tensor) -> Tensor:
    """What changed as rows of floats, which hold whole pixel values exactly."""
    return (pixels.float() - start.float()).flatten(1)
