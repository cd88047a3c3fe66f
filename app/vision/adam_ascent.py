"""Gradient ascent with Adam: for synthesised pictures, stickers, noises and the Lab's kernels.

Source: Kingma and Ba 2014, "Adam: a method for stochastic optimization", arXiv 1412.6980.
"""

from __future__ import annotations

from math import cos, pi

import torch
from torch import Tensor

BETA_1, BETA_2, EPS = 0.9, 0.999, 1e-8
PIXEL_EPS = 1e-12
"""`EPS` for values in 0..255: their gradients are 255 times smaller than those in 0..1."""


class Ascent:
    """Maximises `values` in place with Adam, by at most about `rate` a step, within `limits`.

    `eps` avoids division by zero. `torch.optim` does the same, but its overhead is four times the
    cost of these five operations for the numbers of one picture.
    """

    def __init__(
        self,
        values: Tensor,
        rate: float,
        *,
        eps: float = EPS,
        limits: tuple[float, float] | None = None,
    ) -> None:
        self.values = values
        self._rate = rate
        self._eps = eps
        self._limits = limits
        self._mean = torch.zeros_like(values)
        self._square = torch.zeros_like(values)
        self._steps = 0

    def step(self, gradient: Tensor, rate: float | None = None) -> Tensor:
        """Take a step along `gradient`, with its own `rate` if given; returns the values."""
        self._steps += 1
        with torch.no_grad():
            self._mean.lerp_(gradient, 1 - BETA_1)
            self._square.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
            spread = (self._square / (1 - BETA_2**self._steps)).sqrt_().add_(self._eps)
            size = (self._rate if rate is None else rate) / (1 - BETA_1**self._steps)
            self.values.addcdiv_(self._mean, spread, value=size)
            if self._limits is not None:
                self.values.clamp_(*self._limits)
        return self.values


def cosine_decay(rate: float, step: int, steps: int) -> float:
    """The rate at `step` of `steps`: from `rate` to zero along a cosine."""
    return rate * (1 + cos(pi * step / steps)) / 2
