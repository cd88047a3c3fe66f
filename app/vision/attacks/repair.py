"""Repairs an attack that rounding to 8 bits has undone, by a few whole pixel values."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import torch
from torch import Tensor

from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pixel_grid import WHITE, AttackStep, eight_bit, l2
from app.vision.attacks.pixel_model import PixelModel

ROUNDS = 40
SPARE = 1.1
"""Factor on the gain needed, as a gradient is local; it doubles each round."""


def repair(
    model: PixelModel,
    shown: Tensor,
    start: Tensor,
    goal: AttackGoal,
    wanted: Tensor,
    number: int,
    norm: float = inf,
) -> Iterator[AttackStep]:
    """Change pixel values by 1 until the pictures `wanted`, bool [N], reach the goal.

    `shown` and `start` are whole-numbered [N,3,S,S]. Each round changes, by 1 along the sign of
    the margin's gradient, the numbers with the largest gain for the L2 norm they cost, as few as
    the gradient says are needed, with each picture's norm within `norm`. Steps count from `number`.
    Each round needs twice the gain, so that none oscillates around a kink.
    """
    for round in range(ROUNDS):
        slope = model.slope(shown, goal, margin=True)
        missing = goal.margin(slope.logits)
        open = wanted & ~goal.reached(slope.logits)
        if round:
            yield AttackStep(number + round, eight_bit(shown), slope.logits, repaired=True)
        if not open.any():
            return
        moved = shown.clone()
        for place in open.nonzero().flatten().tolist():
            room = norm**2 - float(l2(shown[place][None], start[place][None])) ** 2
            needed = -float(missing[place]) * SPARE * 2**round
            moved[place] += _nudge(shown[place], start[place], slope.gradient[place], needed, room)
        if moved.equal(shown):
            return
        shown = moved
    yield AttackStep(number + ROUNDS, eight_bit(shown), model.logits(shown), repaired=True)


def _nudge(picture: Tensor, start: Tensor, gradient: Tensor, needed: float, room: float) -> Tensor:
    """Changes of -1, 0 or 1 for one picture [3,S,S] with a linear gain of `needed` logits.

    `room` is how much the squared norm may still grow.
    """
    direction = gradient.sign()
    free = (picture + direction >= 0) & (picture + direction <= WHITE)
    gain = (gradient.abs() * free).flatten().double()
    change = picture - start
    cost = ((change + direction) ** 2 - change**2).flatten().double()
    order = (gain / cost.clamp_min(1)).argsort(descending=True)
    order = order[gain[order] > 0]
    enough = int((gain[order].cumsum(0) < needed).sum()) + 1
    affordable = int((cost[order].cumsum(0) <= room).cumprod(0).sum())
    moved = torch.zeros_like(gain)
    moved[order[: min(enough, affordable)]] = 1
    return moved.view_as(picture).to(direction.dtype) * direction
