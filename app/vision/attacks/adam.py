"""Adam, uphill, for what is drawn rather than trained: a sticker, a noise."""

from __future__ import annotations

from math import cos, pi

import torch
from torch import Tensor

FADING = 0.9, 0.999
LEAST = 1e-12


class Adam:
    """Adam (Kingma and Ba 2015, arXiv 1412.6980), uphill and within `low`..`high`."""

    def __init__(self, value: Tensor, low: float, high: float) -> None:
        self.value = value
        self._low, self._high = low, high
        self._mean, self._square = torch.zeros_like(value), torch.zeros_like(value)
        self._count = 0

    def step(self, gradient: Tensor, rate: float) -> Tensor:
        """The value after one more step of about `rate`."""
        self._count += 1
        slow, slower = FADING
        self._mean = slow * self._mean + (1 - slow) * gradient
        self._square = slower * self._square + (1 - slower) * gradient**2
        mean = self._mean / (1 - slow**self._count)
        size = (self._square / (1 - slower**self._count)).sqrt() + LEAST
        self.value = (self.value + rate * mean / size).clamp(self._low, self._high)
        return self.value


def falling(rate: float, number: int, total: int) -> float:
    """A rate at step `number` of `total`: down to nothing along a cosine."""
    return rate * (1 + cos(pi * number / total)) / 2
