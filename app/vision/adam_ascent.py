"""Adam, uphill. Kingma and Ba 2014, arXiv 1412.6980."""

from __future__ import annotations

import torch
from torch import Tensor

FIRST, SECOND, TINY = 0.9, 0.999, 1e-8


class Ascent:
    """Changes `numbers` in place, at most about `rate` each step; `tiny` keeps off division by 0.

    `torch.optim` does the same; what it does around its five operations takes four times as long
    as they do for the numbers of one picture.
    """

    def __init__(self, numbers: Tensor, rate: float, tiny: float = TINY) -> None:
        self._numbers = numbers
        self._rate = rate
        self._tiny = tiny
        self._mean = torch.zeros_like(numbers)
        self._square = torch.zeros_like(numbers)
        self._steps = 0

    def step(self, gradient: Tensor, rate: float | None = None) -> None:
        """Go a step along `gradient`, of the numbers' shape; a `rate` counts for this one."""
        self._steps += 1
        with torch.no_grad():
            self._mean.lerp_(gradient, 1 - FIRST)
            self._square.mul_(SECOND).addcmul_(gradient, gradient, value=1 - SECOND)
            spread = (self._square / (1 - SECOND**self._steps)).sqrt_().add_(self._tiny)
            far = (self._rate if rate is None else rate) / (1 - FIRST**self._steps)
            self._numbers.addcdiv_(self._mean, spread, value=far)
