"""Adam, uphill, for what is drawn rather than trained: a sticker, a noise."""

from __future__ import annotations

from math import cos, pi

from torch import Tensor

from app.vision.adam_ascent import Ascent

LEAST = 1e-12
"""In place of `Ascent`'s: gradients by a pixel value are as small as that divided by 255."""


class Adam:
    """`Ascent` within `low`..`high`; `value` is where it is, changed in place."""

    def __init__(self, value: Tensor, low: float, high: float) -> None:
        self.value = value.clone()
        self._low, self._high = low, high
        self._ascent = Ascent(self.value, 0.0, LEAST)

    def step(self, gradient: Tensor, rate: float) -> Tensor:
        """The value after one more step of about `rate`."""
        self._ascent.step(gradient, rate)
        return self.value.clamp_(self._low, self._high)


def falling(rate: float, number: int, total: int) -> float:
    """A rate at step `number` of `total`: down to nothing along a cosine."""
    return rate * (1 + cos(pi * number / total)) / 2
