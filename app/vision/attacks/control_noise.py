"""The control of an attack: random noise of the same kind and size as its perturbation."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from app.vision.attacks.noise import gaussian_noise, pixel_noise, sign_noise
from app.vision.attacks.pixel_grid import l2, linf

Noise = Literal["sign", "gaussian", "pixels"]

FROM_CONTROL = 1
"""Added to the seed of the control, so that it differs from a noise used as the attack."""

FILLED = 0.1
"""Mean square change over largest squared change; from here on a perturbation is L-infinity.

Such attacks change nearly every number by the whole epsilon (0.35 and more on the built-in
pictures); L2 attacks change few numbers much (0.03 and less).
"""
FEW = 32
"""Largest number of changed pixels of a few-pixel perturbation."""


def noise_kind(start: Tensor, changed: Tensor) -> Noise:
    """The kind of noise that matches the change of uint8 [1,3,S,S] into `changed`.

    `pixels` where few pixels changed, `sign` where nearly all numbers changed equally, else
    `gaussian`.
    """
    moved, largest = _moved(start, changed), float(linf(changed, start))
    if not moved:
        return "sign"
    if moved <= FEW and moved < start[0, 0].numel() / 2:
        return "pixels"
    square = float(l2(changed, start)) ** 2 / start.numel()
    return "sign" if square >= FILLED * largest**2 else "gaussian"


def control_noise(kind: Noise, start: Tensor, changed: Tensor, seed: int) -> Tensor:
    """Random noise on uint8 [1,3,S,S], as large as its change into `changed`.

    `sign` has the same largest change, `gaussian` the same L2 norm, `pixels` as many pixels.
    """
    match kind:
        case "sign":
            return sign_noise(start, float(linf(changed, start)), seed + FROM_CONTROL)
        case "gaussian":
            return gaussian_noise(start, float(l2(changed, start)), seed)
        case "pixels":
            return pixel_noise(start, _moved(start, changed), seed)


def _moved(start: Tensor, changed: Tensor) -> int:
    """Number of changed pixels."""
    return int((changed != start).any(1).sum())
