"""The arithmetic of one number of the head: a fully connected unit, or a softmax probability."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class VoteCell:
    """A fully connected unit: `value = bias + inputs . weights`, up to float32's rounding.

    `inputs` and `weights` are [M] in float64.
    """

    value: float
    bias: float
    inputs: Tensor
    weights: Tensor

    @property
    def products(self) -> Tensor:
        """The contribution of each input, [M]."""
        return self.inputs * self.weights

    @property
    def total(self) -> float:
        """Bias and products added up in float64."""
        return self.bias + float(self.products.sum())

    @property
    def magnitude(self) -> float:
        """Sum of the magnitudes of bias and products."""
        return abs(self.bias) + float(self.products.abs().sum())

    def strongest(self, count: int, sign: int) -> list[int]:
        """The `count` inputs with the largest positive (`sign` 1) or negative (-1) contribution.

        Largest first; fewer where fewer have that sign.
        """
        signed = self.products * sign
        order = signed.argsort(descending=True, stable=True)[:count].tolist()
        return [i for i in order if signed[i] > 0]


@dataclass(frozen=True, slots=True)
class ShareCell:
    """A class's softmax probability: `value = exp(z_k - peak) / sum over j of exp(z_j - peak)`.

    The peak is the highest logit: it is subtracted from all so that no exponential overflows, and
    cancels out. `exponentials` is [K] in float64.
    """

    value: float
    logit: float
    peak: float
    exponentials: Tensor
    index: int

    @property
    def denominator(self) -> float:
        """Sum of all exponentials."""
        return float(self.exponentials.sum())

    @property
    def total(self) -> float:
        """The quotient in float64."""
        return float(self.exponentials[self.index]) / self.denominator

    @property
    def magnitude(self) -> float:
        """Probabilities add up to 1."""
        return 1.0


def vote_cell(module: nn.Linear, inputs: Tensor, value: float, unit: int) -> VoteCell:
    """The arithmetic of a fully connected `unit` over inputs [M]."""
    bias = 0.0 if module.bias is None else module.bias[unit].item()
    weights = module.weight[unit].detach()
    return VoteCell(value, bias, inputs.cpu().double(), weights.cpu().double())


def share_cell(logits: Tensor, value: float, index: int) -> ShareCell:
    """The arithmetic of one class's softmax over logits [K]."""
    exact = logits.cpu().double()
    peak = float(exact.max())
    return ShareCell(value, float(exact[index]), peak, torch.exp(exact - peak), index)
