"""One number of the head: a vote of all numbers before it, or a share of all classes."""

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
        """What each number adds, [M]."""
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
        """The `count` numbers that add most (`sign` 1) or take away most (-1), strongest first.

        Fewer where fewer do.
        """
        signed = self.products * sign
        order = signed.argsort(descending=True, stable=True)[:count].tolist()
        return [i for i in order if signed[i] > 0]


@dataclass(frozen=True, slots=True)
class ShareCell:
    """A class's share: `value = exp(z_k - peak) / sum over j of exp(z_j - peak)`.

    The peak is the highest logit: it is taken off all of them so that no exponential overflows,
    and drops out of the quotient. `exponentials` is [K] in float64.
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
        """Shares are measured against the whole."""
        return 1.0


def vote_cell(module: nn.Linear, inputs: Tensor, value: float, unit: int) -> VoteCell:
    """The arithmetic of fully connected `unit` over numbers [M]."""
    bias = 0.0 if module.bias is None else module.bias[unit].item()
    weights = module.weight[unit].detach()
    return VoteCell(value, bias, inputs.cpu().double(), weights.cpu().double())


def share_cell(logits: Tensor, value: float, index: int) -> ShareCell:
    """The arithmetic of one class's softmax over logits [K]."""
    exact = logits.cpu().double()
    peak = float(exact.max())
    return ShareCell(value, float(exact[index]), peak, torch.exp(exact - peak), index)
