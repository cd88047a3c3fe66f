"""Training: the kernels of the tiny network, learned from random numbers by gradient descent.

It trains the three kernels, which all convolutions share as on the page, and the vote's weights.
Loss: the mean of log(1 + exp(-sign * vote)) over a batch (logistic regression), minimised by Adam
(Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from app.vision.adam_ascent import Ascent
from app.vision.tiny_network.examples import ExampleBoards
from app.vision.tiny_network.network import KERNEL, KERNELS, Match, TinyLayer, forward_batch, plan

STEPS, EVERY, BATCH = 300, 5, 50
"""Number of steps, steps between two reports, boards in a batch."""

LIMIT = 9.0
"""Largest magnitude of a kernel's weight, as on the page."""

_RATE = 0.03


@dataclass(frozen=True, slots=True)
class Learned:
    """The state of the training after `step` of `steps`.

    `loss` is the mean loss on unseen boards, `accuracy` the share of them classified correctly,
    0..1; `unchecked` is that share of boards drawn without a look at those it learns from;
    `kernels` is [3,3,3].
    """

    step: int
    steps: int
    loss: float
    accuracy: float
    unchecked: float
    kernels: Tensor


def check(layers: tuple[TinyLayer, ...]) -> None:
    """Validate the layers. Raises `ValueError` without a kernel to learn, or for a misfit."""
    if not any(layer.kind == "conv" for layer in layers):
        raise ValueError("Without a convolution there is no kernel to learn.")
    if misfit := plan(layers).misfit:
        raise ValueError(misfit)


def learn(
    layers: tuple[TinyLayer, ...], match: Match, examples: ExampleBoards, seed: int = 0
) -> Iterator[Learned]:
    """Train from random kernels; yields a report at the start, then every few steps.

    No grad mode is held across a yield. Raises what `check` raises.
    """
    check(layers)
    return _learn(layers, match, examples, seed)


def _learn(
    layers: tuple[TinyLayer, ...], match: Match, examples: ExampleBoards, seed: int
) -> Iterator[Learned]:
    generator = torch.Generator().manual_seed(seed)
    shape = KERNELS, KERNEL, KERNEL
    kernels = torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
    maps, rows, columns = plan(layers).sizes[-1]
    count = maps * rows * columns + 1
    weights = (torch.randn(count, generator=generator, dtype=torch.float64) / 10).requires_grad_()
    ascents = [Ascent(kernels, _RATE, limits=(-LIMIT, LIMIT)), Ascent(weights, _RATE)]
    training = examples.training
    for step in range(STEPS + 1):
        if step:
            batch = torch.randint(len(training), (BATCH,), generator=generator)
            with torch.enable_grad():
                lean = _lean(training.boards[batch], kernels, weights, layers, match)
                loss = F.softplus(-training.signs[batch] * lean).mean()
                gradients = torch.autograd.grad(loss, (kernels, weights))
            for one, gradient in zip(ascents, gradients, strict=True):
                one.step(-gradient)
        if step % EVERY == 0:
            with torch.no_grad():
                unseen, unchecked = (
                    one.signs * _lean(one.boards, kernels, weights, layers, match)
                    for one in (examples.unseen, examples.unchecked)
                )
            yield _report(step, unseen, unchecked, kernels)


def _lean(
    boards: Tensor, kernels: Tensor, weights: Tensor, layers: tuple[TinyLayer, ...], match: Match
) -> Tensor:
    """The vote for each board, [n]: above zero for X, below for O. The last weight is the bias."""
    numbers = forward_batch(boards, kernels, layers, match).flatten(1)
    return numbers @ weights[:-1] + weights[-1]


def _report(step: int, unseen: Tensor, unchecked: Tensor, kernels: Tensor) -> Learned:
    """The state from the margins of both sets, sign times vote: above zero is right."""
    loss = float(F.softplus(-unseen).mean())
    accuracy, other = (float((one > 0).double().mean()) for one in (unseen, unchecked))
    return Learned(step, STEPS, loss, accuracy, other, kernels.detach().clone())
