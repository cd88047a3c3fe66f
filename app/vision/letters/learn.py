"""Learning the kernels: the same tiny network, from random numbers, by gradient descent.

What is learned are the three kernels, which serve every convolution as on the page, and the vote.
Loss: the mean of log(1 + exp(-sign * vote)) over a batch (logistic regression), descended by Adam
(Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from app.vision.letters.board import generated
from app.vision.letters.tiny import KERNEL, KERNELS, Layer, Match, plan, together

STEPS, EVERY, BATCH = 300, 5, 50
"""Steps in all, how many between two reports, boards in a step."""

LIMIT = 9.0
"""Largest magnitude of a kernel's number, as on the page."""

_BOARDS, _HELD_OUT, _HELD_OUT_SEED = 1000, 400, 3
_RATE, _FIRST, _SECOND, _TINY = 0.03, 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True)
class Learned:
    """Where the learning stands after `step` of `steps`.

    `loss` is that of the held-out boards, `accuracy` the share of them told right, 0..1; `kernels`
    is [3,3,3].
    """

    step: int
    steps: int
    loss: float
    accuracy: float
    kernels: Tensor


@dataclass(slots=True)
class _Adam:
    """One tensor under way: its gradient's mean and mean square, both decaying."""

    value: Tensor
    mean: Tensor
    square: Tensor

    @classmethod
    def of(cls, value: Tensor) -> _Adam:
        return cls(value.requires_grad_(), torch.zeros_like(value), torch.zeros_like(value))

    def descend(self, gradient: Tensor, step: int) -> None:
        """One step against the gradient; `step` counts from 1."""
        self.mean = _FIRST * self.mean + (1 - _FIRST) * gradient
        self.square = _SECOND * self.square + (1 - _SECOND) * gradient.square()
        mean, square = self.mean / (1 - _FIRST**step), self.square / (1 - _SECOND**step)
        moved = self.value.detach() - _RATE * mean / (square.sqrt() + _TINY)
        self.value = moved.requires_grad_()


def check(layers: tuple[Layer, ...]) -> None:
    """Raises `ValueError` where there is no kernel to learn, or a layer does not fit."""
    if not any(layer.kind == "conv" for layer in layers):
        raise ValueError("Without a convolution there is no kernel to learn.")
    if misfit := plan(layers).misfit:
        raise ValueError(misfit)


def learn(layers: tuple[Layer, ...], match: Match, seed: int = 0) -> Iterator[Learned]:
    """Train from random kernels; a report at the start, then every few steps.

    Nothing is held between two reports. Raises what `check` raises.
    """
    check(layers)
    return _learn(layers, match, seed)


def _learn(layers: tuple[Layer, ...], match: Match, seed: int) -> Iterator[Learned]:
    dice = torch.Generator().manual_seed(seed)
    shape = KERNELS, KERNEL, KERNEL
    kernels = _Adam.of(torch.randn(shape, generator=dice, dtype=torch.float64))
    maps, rows, columns = plan(layers).sizes[-1]
    count = maps * rows * columns + 1
    weights = _Adam.of(torch.randn(count, generator=dice, dtype=torch.float64) / 10)
    boards, signs = generated(_BOARDS, seed + _HELD_OUT_SEED + 1)
    others = generated(_HELD_OUT, _HELD_OUT_SEED)
    for step in range(STEPS + 1):
        if step:
            batch = torch.randint(_BOARDS, (BATCH,), generator=dice)
            with torch.enable_grad():
                lean = _lean(boards[batch], kernels.value, weights.value, layers, match)
                loss = F.softplus(-signs[batch] * lean).mean()
                gradients = torch.autograd.grad(loss, (kernels.value, weights.value))
            for one, gradient in zip((kernels, weights), gradients, strict=True):
                one.descend(gradient, step)
            with torch.no_grad():
                kernels.value.clamp_(-LIMIT, LIMIT)
        if step % EVERY == 0:
            yield _report(step, kernels.value, weights.value, layers, match, others)


def _lean(
    boards: Tensor, kernels: Tensor, weights: Tensor, layers: tuple[Layer, ...], match: Match
) -> Tensor:
    """How far each board leans to X, above zero, or to O: [n]. The last weight is the bias."""
    numbers = together(boards, kernels, layers, match).flatten(1)
    return numbers @ weights[:-1] + weights[-1]


def _report(
    step: int,
    kernels: Tensor,
    weights: Tensor,
    layers: tuple[Layer, ...],
    match: Match,
    others: tuple[Tensor, Tensor],
) -> Learned:
    boards, signs = others
    with torch.no_grad():
        margins = signs * _lean(boards, kernels, weights, layers, match)
        loss, accuracy = F.softplus(-margins).mean(), (margins > 0).double().mean()
    return Learned(step, STEPS, float(loss), float(accuracy), kernels.detach().clone())
