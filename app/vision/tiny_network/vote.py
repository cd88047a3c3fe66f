"""The fully connected vote: every number of the last maps times its weight, for X and for O.

The weights are the ridge regression of the letter, +1 or -1, on those numbers over generated
boards: a linear layer in closed form, so that any kernel and any order of layers has its best
vote at once. The penalty follows the numbers' spread: scaling all of them changes no verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from app.vision.tiny_network import pixels
from app.vision.tiny_network.board import generated
from app.vision.tiny_network.network import Match, TinyLayer, together

Verdict = Literal["X", "O", "undecided"]

LEARNED, HELD_OUT = 600, 400
"""Boards the weights are fitted on, and others on which verdicts are counted."""

_LEARNED_SEED, _HELD_OUT_SEED = 1, 2
_RIDGE = 0.01
_EVEN = 1e-9


@dataclass(frozen=True, slots=True)
class VoteExamples:
    """Boards [n,9,9] and their signs [n]: some to fit weights on, others to count verdicts on."""

    boards: Tensor
    signs: Tensor
    others: Tensor
    truth: Tensor

    @classmethod
    def make(cls) -> VoteExamples:
        """Always the same ones."""
        boards, signs = generated(LEARNED, _LEARNED_SEED)
        others, truth = generated(HELD_OUT, _HELD_OUT_SEED)
        # Half the digits, a tenth of the time: the weights are fitted, not read off.
        return cls(boards.float(), signs, others.float(), truth)


@dataclass(frozen=True, slots=True)
class VoteWeights:
    """The vote for X: `bias + sum of numbers * weights`; the vote for O is 1 minus that.

    `weights` is [C,H,W] as the maps. `right` counts right verdicts, `pixels_right` those of the
    comparison pixel by pixel, both of `of` boards that were not learned from.
    """

    weights: Tensor
    bias: float
    right: int
    pixels_right: int
    of: int


@dataclass(frozen=True, slots=True)
class Vote:
    """One board's vote: `products` [C,H,W], the two scores, which add up to 1, the verdict."""

    numbers: Tensor
    weights: VoteWeights
    products: Tensor
    x: float
    o: float

    @property
    def verdict(self) -> Verdict:
        """The letter with the higher score."""
        if abs(self.x - self.o) < _EVEN:
            return "undecided"
        return "X" if self.x > self.o else "O"


def fit(
    kernels: Tensor, layers: tuple[TinyLayer, ...], match: Match, given: VoteExamples
) -> VoteWeights:
    """The weights under these kernels and layers. Raises `ValueError` where a layer misfits."""
    with torch.inference_mode():
        small = kernels.float()
        maps = together(given.boards, small, layers, match)
        weights, bias = _ridge(maps.flatten(1).double(), given.signs)
        numbers = together(given.others, small, layers, match).flatten(1).double()
        margin = (numbers @ weights + bias) * given.truth
    # A lean of -1 to +1 becomes a score of 0 to 1.
    return VoteWeights(
        (weights / 2).reshape(maps.shape[1:]),
        (bias + 1) / 2,
        int((margin > _EVEN).sum()),
        pixels.right(given.others, given.truth),
        len(given.truth),
    )


def vote(numbers: Tensor, weights: VoteWeights) -> Vote:
    """The vote of the last layer's maps [C,H,W]."""
    products = numbers * weights.weights
    x = weights.bias + float(products.sum())
    return Vote(numbers, weights, products, x, 1 - x)


def _ridge(numbers: Tensor, signs: Tensor) -> tuple[Tensor, float]:
    """Weights [n] and bias of the ridge regression of `signs` [m] on `numbers` [m,n].

    The penalty is a share of the numbers' own spread: scale them, and the weights scale back.
    """
    mean = numbers.mean(0)
    centred = numbers - mean
    count, width = numbers.shape
    spread = float(numbers.var(0).mean())
    if not spread:
        return torch.zeros_like(mean), float(signs.mean())
    # Scaled first: numbers of any size are solved with the same precision.
    centred = centred / spread**0.5
    gram = centred.T @ centred + _RIDGE * count * torch.eye(width, dtype=centred.dtype)
    weights = torch.linalg.solve(gram, centred.T @ signs) / spread**0.5
    return weights, float(signs.mean() - mean @ weights)
