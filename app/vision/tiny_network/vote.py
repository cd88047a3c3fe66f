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
from app.vision.tiny_network.examples import ExampleBoards, LetteredBoards
from app.vision.tiny_network.network import Match, TinyLayer, forward_batch

Verdict = Literal["X", "O", "undecided"]

_RIDGE = 0.01
_EVEN = 1e-9


@dataclass(frozen=True, slots=True)
class VoteWeights:
    """The vote for X: `bias + sum of numbers * weights`; the vote for O is 1 minus that.

    `weights` is [C,H,W] as the maps, fitted on `fitted` boards. `right` counts correct verdicts,
    `pixels_right` those of the pixel-by-pixel comparison, both of `of` unseen boards.
    `unchecked_right` counts the network's on as many boards of which `known` are fitted ones.
    """

    weights: Tensor
    bias: float
    right: int
    pixels_right: int
    of: int
    unchecked_right: int
    known: int
    fitted: int


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
    kernels: Tensor, layers: tuple[TinyLayer, ...], match: Match, examples: ExampleBoards
) -> VoteWeights:
    """Fit the weights for these kernels and layers. Raises `ValueError` for a misfit."""

    # Half the digits take a tenth of the time; fitted weights need no more.
    def maps_of(given: LetteredBoards) -> Tensor:
        return forward_batch(given.boards.float(), kernels.float(), layers, match)

    def right(given: LetteredBoards) -> int:
        margin = (maps_of(given).flatten(1).double() @ weights + bias) * given.signs
        return int((margin > _EVEN).sum())

    fitting, unseen, unchecked = examples.fitting, examples.unseen, examples.unchecked
    with torch.inference_mode():
        maps = maps_of(fitting)
        weights, bias = _ridge(maps.flatten(1).double(), fitting.signs)
        return VoteWeights(
            # Map a vote in -1..+1 to a score in 0..1.
            (weights / 2).reshape(maps.shape[1:]),
            (bias + 1) / 2,
            right(unseen),
            pixels.correct_count(unseen.boards, unseen.signs),
            len(unseen),
            right(unchecked),
            unchecked.count_in(fitting),
            len(fitting),
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
