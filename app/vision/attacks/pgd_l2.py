"""PGD, projected gradient descent, in the L2 ball."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pixel_grid import AttackStep, eight_bit, on_grid_within
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.repair import repair

LEAST = 1e-12
"""Lower bound of a norm, against division by zero."""


def pgd_l2(
    model: PixelModel,
    pixels: Tensor,
    goal: AttackGoal,
    epsilon: float,
    step_size: float,
    steps: int,
) -> Iterator[AttackStep]:
    """Take steps of L2 norm `step_size`, at most `epsilon` away from uint8 [N,3,S,S].

    x_{k+1} = clip_{0..255}(x_0 + P(x_k + step_size * g / |g| - x_0)), P the projection onto the
    ball of radius epsilon (Madry et al. 2018, arXiv 1706.06083). Both are Euclidean norms over
    all pixel values. The iteration is in floats; every step yields its 8-bit picture within the
    same norm, and where rounding undoes the attack at the end it is repaired.
    """
    start = pixels.to(model.device).float()
    number, shown, fooled = 0, start, None
    for number, x, logits, margin in pgd_l2_iterates(model, start, goal, epsilon, step_size, steps):
        goal = goal.settled(logits)
        shown, fooled = on_grid_within(x, start, epsilon), goal.reached(logits)
        seen = logits if shown.equal(x) else model.logits(shown)
        yield AttackStep(number, eight_bit(shown), seen, margin)
    if fooled is not None:
        yield from repair(model, shown, start, goal, fooled, number, epsilon)


def pgd_l2_iterates(
    model: PixelModel, start: Tensor, goal: AttackGoal, epsilon: float, step_size: float, steps: int
) -> Iterator[tuple[int, Tensor, Tensor, bool]]:
    """The iteration in floats: number, x [N,3,S,S], its logits, whether the margin was used."""
    x = start
    for number in range(steps):
        slope = model.slope(x, goal)
        goal = goal.settled(slope.logits)
        yield number, x, slope.logits, slope.margin
        gradient = slope.gradient
        x = x + step_size * (gradient * (1 / _norms(gradient)))
        change = x - start
        x = (start + change * (epsilon / _norms(change)).clamp_max(1)).clamp(0, model.white)
    yield steps, x, model.logits(x), False


def _norms(change: Tensor) -> Tensor:
    """Euclidean norm of each of N pictures, [N,1,1,1]."""
    norms: Tensor = torch.linalg.vector_norm(change.flatten(1), dim=1)
    return norms.clamp_min(LEAST)[:, None, None, None]
