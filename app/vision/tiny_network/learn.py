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
from app.vision.tiny_network.board import codes, generate_boards, unseen_boards
from app.vision.tiny_network.network import KERNEL, KERNELS, Match, TinyLayer, forward_batch, plan

STEPS, EVERY, BATCH = 300, 5, 50
"""Number of steps, steps between two reports, boards in a batch."""

LIMIT = 9.0
"""Largest magnitude of a kernel's weight, as on the page."""

_BOARDS, HELD_OUT, _HELD_OUT_SEED = 1000, 400, 3
_RATE = 0.03


@dataclass(frozen=True, slots=True)
class Learned:
    """The state of the training after `step` of `steps`.

    `loss` is the mean loss on boards that are not among those it learns from, `accuracy` the share
    of them classified correctly, 0..1. `leaky` is that share for boards drawn at random without
    looking, of which `seen` are among those it learns from. `kernels` is [3,3,3].
    """

    step: int
    steps: int
    loss: float
    accuracy: float
    leaky: float
    seen: int
    kernels: Tensor


def check(layers: tuple[TinyLayer, ...]) -> None:
    """Validate the layers. Raises `ValueError` without a kernel to learn, or for a misfit."""
    if not any(layer.kind == "conv" for layer in layers):
        raise ValueError("Without a convolution there is no kernel to learn.")
    if misfit := plan(layers).misfit:
        raise ValueError(misfit)


def learn(layers: tuple[TinyLayer, ...], match: Match, seed: int = 0) -> Iterator[Learned]:
    """Train from random kernels; yields a report at the start, then every few steps.

    No grad mode is held across a yield. Raises what `check` raises.
    """
    check(layers)
    return _learn(layers, match, seed)


def _learn(layers: tuple[TinyLayer, ...], match: Match, seed: int) -> Iterator[Learned]:
    generator = torch.Generator().manual_seed(seed)
    shape = KERNELS, KERNEL, KERNEL
    kernels = torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
    maps, rows, columns = plan(layers).sizes[-1]
    count = maps * rows * columns + 1
    weights = (torch.randn(count, generator=generator, dtype=torch.float64) / 10).requires_grad_()
    ascents = [Ascent(kernels, _RATE, limits=(-LIMIT, LIMIT)), Ascent(weights, _RATE)]
    boards, signs = generate_boards(_BOARDS, seed + _HELD_OUT_SEED + 1)
    others = unseen_boards(HELD_OUT, _HELD_OUT_SEED, boards)
    mixed = generate_boards(HELD_OUT, _HELD_OUT_SEED)
    known = set(codes(boards))
    seen = sum(code in known for code in codes(mixed[0]))
    for step in range(STEPS + 1):
        if step:
            batch = torch.randint(_BOARDS, (BATCH,), generator=generator)
            with torch.enable_grad():
                lean = _lean(boards[batch], kernels, weights, layers, match)
                loss = F.softplus(-signs[batch] * lean).mean()
                gradients = torch.autograd.grad(loss, (kernels, weights))
            for one, gradient in zip(ascents, gradients, strict=True):
                one.step(-gradient)
        if step % EVERY == 0:
            with torch.no_grad():
                missed, accuracy = _test(others, kernels, weights, layers, match)
                _, leaky = _test(mixed, kernels, weights, layers, match)
            yield Learned(step, STEPS, missed, accuracy, leaky, seen, kernels.detach().clone())


def _lean(
    boards: Tensor, kernels: Tensor, weights: Tensor, layers: tuple[TinyLayer, ...], match: Match
) -> Tensor:
    """The vote for each board, [n]: above zero for X, below for O. The last weight is the bias."""
    numbers = forward_batch(boards, kernels, layers, match).flatten(1)
    return numbers @ weights[:-1] + weights[-1]


def _test(
    examples: tuple[Tensor, Tensor],
    kernels: Tensor,
    weights: Tensor,
    layers: tuple[TinyLayer, ...],
    match: Match,
) -> tuple[float, float]:
    """The mean loss and the accuracy on boards and their signs."""
    boards, signs = examples
    margins = signs * _lean(boards, kernels, weights, layers, match)
    return float(F.softplus(-margins).mean()), float((margins > 0).double().mean())
