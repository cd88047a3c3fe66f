"""The fully connected layer of the tiny network: its vote for X and for O, by ridge regression.

The weights are the ridge regression of the letter, +1 or -1, on the numbers of the last maps over
generated boards: a linear layer in closed form, fitted at once for any kernels and layers. The
penalty is proportional to the numbers' variance: scaling all of them changes no verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from app.vision.tiny_network import pixels
from app.vision.tiny_network.board import generate_boards, unseen_boards
from app.vision.tiny_network.network import Match, TinyLayer, forward_batch

Verdict = Literal["X", "O", "undecided"]

LEARNED, HELD_OUT = 600, 400
"""Number of boards to fit the weights on, and of held-out boards to count verdicts on."""

_LEARNED_SEED, _HELD_OUT_SEED = 1, 2
_RIDGE = 0.01
_EVEN = 1e-9


@dataclass(frozen=True, slots=True)
class VoteExamples:
    """Boards [n,9,9] and signs [n]: a training set, and a held-out set (`others`, `truth`)."""

    boards: Tensor
    signs: Tensor
    others: Tensor
    truth: Tensor

    @classmethod
    def make(cls) -> VoteExamples:
        """Generate both sets with fixed seeds; no board is in both."""
        boards, signs = generate_boards(LEARNED, _LEARNED_SEED)
        others, truth = unseen_boards(HELD_OUT, _HELD_OUT_SEED, boards)
        # Half the digits take a tenth of the time; fitted weights need no more.
        return cls(boards.float(), signs, others.float(), truth)


@dataclass(frozen=True, slots=True)
class VoteWeights:
    """The vote for X: `bias + sum of numbers * weights`; the vote for O is 1 minus that.

    `weights` is [C,H,W] as the maps. `right` counts correct verdicts, `pixels_right` those of the
    pixel-by-pixel comparison, both of `of` held-out boards.
    """

    weights: Tensor
    bias: float
    right: int
    pixels_right: int
    of: int


@dataclass(frozen=True, slots=True)
class Vote:
    """One board's vote: `products` [C,H,W] and the two scores, which add up to 1."""

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
    kernels: Tensor, layers: tuple[TinyLayer, ...], match: Match, examples: VoteExamples
) -> VoteWeights:
    """Fit the weights for these kernels and layers. Raises `ValueError` for a misfit."""
    with torch.inference_mode():
        small = kernels.float()
        maps = forward_batch(examples.boards, small, layers, match)
        weights, bias = _ridge(maps.flatten(1).double(), examples.signs)
        numbers = forward_batch(examples.others, small, layers, match).flatten(1).double()
        margin = (numbers @ weights + bias) * examples.truth
    # Map a vote in -1..+1 to a score in 0..1.
    return VoteWeights(
        (weights / 2).reshape(maps.shape[1:]),
        (bias + 1) / 2,
        int((margin > _EVEN).sum()),
        pixels.correct_count(examples.others, examples.truth),
        len(examples.truth),
    )


def vote(numbers: Tensor, weights: VoteWeights) -> Vote:
    """Compute the vote from the last layer's maps [C,H,W]."""
    products = numbers * weights.weights
    x = weights.bias + float(products.sum())
    return Vote(numbers, weights, products, x, 1 - x)


def _ridge(numbers: Tensor, signs: Tensor) -> tuple[Tensor, float]:
    """Weights [n] and bias of the ridge regression of `signs` [m] on `numbers` [m,n].

    The penalty is proportional to the numbers' variance: scale them, and the weights scale back.
    """
    mean = numbers.mean(0)
    centred = numbers - mean
    count, width = numbers.shape
    spread = float(numbers.var(0).mean())
    if not spread:
        return torch.zeros_like(mean), float(signs.mean())
    # Scaled first, so that numbers of any size are solved with the same precision.
    centred = centred / spread**0.5
    gram = centred.T @ centred + _RIDGE * count * torch.eye(width, dtype=centred.dtype)
    weights = torch.linalg.solve(gram, centred.T @ signs) / spread**0.5
    return weights, float(signs.mean() - mean @ weights)
