"""The control beside an attack: what kind of noise is as large as it was, and that noise."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from app.vision.attacks.noise import gaussian_noise, pixel_noise, sign_noise
from app.vision.attacks.pixel_grid import l2, linf

Noise = Literal["sign", "gaussian", "pixels"]

FROM_CONTROL = 1
"""Added to the seed for the control: a noise that is attacked with has another one beside it."""

FILLED = 0.1
"""The mean square change over the square of the largest, from which a change is L-infinity's.

Attacks of that norm move nearly every number as far as they may (0.35 and more on the built-in
pictures); those of an L2 norm move few numbers far (0.03 and less).
"""
FEW = 32
"""Pixels up to which a change is one of few pixels."""


def kind_of(start: Tensor, changed: Tensor) -> Noise:
    """What noise is as large as a change of uint8 [1,3,S,S] into `changed`, by the change alone.

    `pixels` where few pixels moved, `sign` where nearly all numbers moved alike, else `gaussian`.
    """
    moved, largest = _moved(start, changed), float(linf(changed, start))
    if not moved:
        return "sign"
    if moved <= FEW and moved < start[0, 0].numel() / 2:
        return "pixels"
    square = float(l2(changed, start)) ** 2 / start.numel()
    return "sign" if square >= FILLED * largest**2 else "gaussian"


def noise_beside(kind: Noise, start: Tensor, changed: Tensor, seed: int) -> Tensor:
    """Random noise on uint8 [1,3,S,S], as large as its change into `changed`, which has the seed.

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
    """How many pixels are not as they were."""
    return int((changed != start).any(1).sum())
