"""DeepFool: the smallest perturbation that crosses the nearest decision boundary."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pixel_grid import AttackStep, eight_bit, on_grid
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.repair import repair

CANDIDATES = 10
OVERSHOOT = 0.02
STEPS = 50
PAST = 1e-4
"""Share of white by which each step goes past the estimated boundary, not to end on it."""
LEAST = 1e-8


def deepfool(
    model: PixelModel,
    pixels: Tensor,
    goal: AttackGoal,
    *,
    candidates: int = CANDIDATES,
    overshoot: float = OVERSHOOT,
    steps: int = STEPS,
) -> Iterator[AttackStep]:
    """Step across the nearest linearised boundary until all of uint8 [N,3,S,S] have crossed it.

    For each of the `candidates` most probable classes k: f_k = z_k - z_y, w_k = grad f_k; the step
    is |f_l| / |w_l|^2 * w_l for the l with the least |f_l| / |w_l|, and x = x_0 + (1 + overshoot)
    * the sum of steps (Moosavi-Dezfooli et al. 2016, arXiv 1511.04599, algorithm 2). Toward a
    target it is the only candidate, y the strongest other class. The iteration is in floats;
    every step yields its 8-bit picture, and where rounding undoes the attack it is repaired.
    """
    start = pixels.to(model.device).float()
    number, shown, fooled = 0, start, None
    for number, x, logits in deepfool_iterates(model, start, goal, candidates, overshoot, steps):
        goal = goal.settled(logits)
        shown, fooled = on_grid(x, start), goal.reached(logits)
        seen = logits if shown.equal(x) else model.logits(shown)
        yield AttackStep(number, eight_bit(shown), seen)
    if fooled is not None:
        yield from repair(model, shown, start, goal, fooled, number)


def deepfool_iterates(
    model: PixelModel,
    start: Tensor,
    goal: AttackGoal,
    candidates: int = CANDIDATES,
    overshoot: float = OVERSHOOT,
    steps: int = STEPS,
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """The iteration in floats: number, x [N,3,S,S], its logits; stops when all reach the goal."""
    x, total = start, torch.zeros_like(start)
    logits = model.logits(x)
    goal = goal.settled(logits)
    order = logits.argsort(1, descending=True)[:, 1:candidates]
    for number in range(steps):
        yield number, x, logits
        reached = goal.reached(logits)
        if reached.all():
            return
        total = total + _nearest(model, x, goal, order)
        moved = (start + (1 + overshoot) * total).clamp(0, model.white)
        x = torch.where(reached[:, None, None, None], x, moved)
        logits = model.logits(x)
    yield steps, x, logits


def _nearest(model: PixelModel, x: Tensor, goal: AttackGoal, order: Tensor) -> Tensor:
    """The step to the nearest decision boundary, [N,3,S,S]."""
    gaps, slopes = _borders(model, x, goal, order)
    norms = torch.linalg.vector_norm(slopes.flatten(2), dim=2) + LEAST / model.white
    distances = gaps.abs() / norms
    nearest = distances.argmin(1)
    rows = torch.arange(len(x), device=x.device)
    length = (distances[rows, nearest] + PAST * model.white) / norms[rows, nearest]
    step: Tensor = length[:, None, None, None] * slopes[rows, nearest]
    return step


def _borders(
    model: PixelModel, x: Tensor, goal: AttackGoal, order: Tensor
) -> tuple[Tensor, Tensor]:
    """Logit of each candidate minus the own class's, [N,C], and its gradient, [N,C,3,S,S].

    One forward pass for all candidates, one backward pass for each.
    """
    with model.evaluating(), torch.inference_mode(False), torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        logits = model.network(model.normalised(x))
        if goal.targeted:
            gaps = goal.margin(logits)[:, None]
        else:
            labels = goal.settled(logits).labels
            own = logits.gather(1, labels[:, None])  # type: ignore[index]
            gaps = logits.gather(1, order) - own
        slopes = [torch.autograd.grad(gap.sum(), x, retain_graph=True)[0] for gap in gaps.unbind(1)]
    return gaps.detach(), torch.stack(slopes, 1)
