"""PGD, projected gradient descent, in the L-infinity ball."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pixel_grid import AttackStep, eight_bit, on_grid
from app.vision.attacks.pixel_model import PixelModel

Amount = float | Tensor
"""Pixel values: one number for all pictures, or one for each, [N,1,1,1]."""


@dataclass(frozen=True, slots=True)
class Iterate:
    """One iterate: `x` in floats, and `seen`, the picture of it that `logits` belong to."""

    number: int
    x: Tensor
    seen: Tensor
    logits: Tensor
    margin: bool


def pgd(
    model: PixelModel,
    pixels: Tensor,
    goal: AttackGoal,
    epsilon: Amount,
    step_size: Amount,
    steps: int,
) -> Iterator[AttackStep]:
    """Increase the loss by steps of `step_size`, at most `epsilon` away from uint8 [N,3,S,S].

    x_{k+1} = clip_{0..255}(x_0 + clip_{+-epsilon}(x_k + step_size * sign(grad L(x_k)) - x_0)),
    without a random start (Madry et al. 2018, arXiv 1706.06083, section 2.1). Epsilon and step
    size are in pixel values, 1/255.

    Every step yields an 8-bit picture, and the gradient is taken at that picture: one pass computes
    the gradient and the prediction. Where epsilon and step size are whole numbers, rounding changes
    nothing, and this is the textbook's iteration to the bit.
    """
    start = pixels.to(model.device).float()
    whole = _whole(epsilon) and _whole(step_size)

    def shown(x: Tensor) -> Tensor:
        return x if whole else on_grid(x, start, epsilon)

    for at in pgd_iterates(model, start, goal, epsilon, step_size, steps, shown):
        yield AttackStep(at.number, eight_bit(at.seen), at.logits, at.margin)


def pgd_iterates(
    model: PixelModel,
    start: Tensor,
    goal: AttackGoal,
    epsilon: Amount,
    step_size: Amount,
    steps: int,
    shown: Callable[[Tensor], Tensor] = lambda x: x,
) -> Iterator[Iterate]:
    """The iteration in floats, from `start` [N,3,S,S] to the last step, each with its logits.

    `shown` maps x to the network's input: x itself where nothing is quantised.
    """
    x = start
    most, by = (torch.as_tensor(one).to(start) for one in (epsilon, step_size))
    for number in range(steps):
        seen = shown(x)
        slope = model.slope(seen, goal)
        goal = goal.settled(slope.logits)
        yield Iterate(number, x, seen, slope.logits, slope.margin)
        x = x + by * slope.gradient.sign()
        # Project first, then clip to 0..white: the other order could leave that range.
        x = (start + (x - start).clamp(-most, most)).clamp(0, model.white)
    seen = shown(x)
    yield Iterate(steps, x, seen, model.logits(seen), False)


def _whole(amount: Amount) -> bool:
    """Whether the amount is a whole number, so that pictures stay whole-numbered."""
    exact = torch.as_tensor(amount, dtype=torch.float64)
    return exact.equal(exact.round())
