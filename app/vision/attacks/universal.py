"""One noise for many pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor

import torch
from torch import Tensor

from app.vision.attacks.goal import Goal
from app.vision.attacks.grid import WHITE, AttackStep
from app.vision.attacks.model import PixelModel, Slope

BATCH = 32
PASSES = 10
MOMENTUM = 0.9


@dataclass(frozen=True, slots=True)
class UniversalStep:
    """`noise` is whole-numbered int16 [3,S,S]; `reached` the share of the last batch, 0..1.

    The share is that of the pictures with the noise as it was before this step.
    """

    number: int
    noise: Tensor
    reached: float


def universal(
    model: PixelModel,
    pictures: Tensor,
    epsilon: float,
    *,
    goal: Goal | None = None,
    passes: int = PASSES,
    batch: int = BATCH,
    step_size: float | None = None,
    seed: int = 0,
) -> Iterator[UniversalStep]:
    """One noise of at most floor(epsilon) that fools as many of uint8 [N,3,S,S] as it can.

    v <- clip_{+-epsilon}(v + a * sign(m)), m <- 0.9 m + the mean over a batch of g / |g|_1, g the
    gradient of a picture's loss at clip(x + v). The question is that of Moosavi-Dezfooli et al.
    2017 (arXiv 1610.08401); the ascent that of Shafahi et al. 2020 (arXiv 1811.11304), with the
    momentum of Dong et al. 2018 (arXiv 1710.06081). Without a goal it is away from what each
    picture is taken for. `seed` orders the pictures.
    """
    lot = torch.Generator().manual_seed(seed)
    wanted = goal or Goal()
    wanted = wanted.settled(
        torch.cat([_clean(model, part) for part in torch.split(pictures, batch)])
    )
    # No farther than what can be shown: beyond it floats would only drift.
    most = float(floor(epsilon))
    step_size = most / 8 if step_size is None else step_size
    noise = torch.zeros(pictures.shape[1:], device=model.device)
    momentum, number = torch.zeros_like(noise), 0
    for _ in range(passes):
        for places in torch.split(torch.randperm(len(pictures), generator=lot), batch):
            chosen = wanted.only(places.to(model.device))
            start = pictures[places.to(pictures.device)].to(model.device).float()
            slope = model.slope((start + noise.round()).clamp(0, WHITE), chosen)
            momentum = MOMENTUM * momentum + _direction(slope, chosen)
            noise = (noise + step_size * momentum.sign()).clamp(-most, most)
            number += 1
            reached = float(chosen.reached(slope.logits).float().mean())
            yield UniversalStep(number, noise.round().to(torch.int16), reached)


def with_noise(pixels: Tensor, noise: Tensor) -> Tensor:
    """uint8 pictures [N,3,S,S] with a noise [3,S,S] on each, cut at black and white."""
    return (pixels.to(torch.int16) + noise.to(pixels.device)).clamp(0, WHITE).to(torch.uint8)


def universal_for_one(
    model: PixelModel,
    pixels: Tensor,
    goal: Goal,
    epsilon: float,
    steps: int,
    step_size: float | None = None,
    seed: int = 0,
) -> Iterator[AttackStep]:
    """The noise that `universal` makes for uint8 [1,3,S,S] alone, as it grows on that picture."""
    logits = _clean(model, pixels)
    goal = goal.settled(logits)
    yield AttackStep(0, pixels, logits)
    made = universal(
        model, pixels, epsilon, goal=goal, passes=steps, step_size=step_size, seed=seed
    )
    for step in made:
        shown = with_noise(pixels, step.noise)
        yield AttackStep(step.number, shown, _clean(model, shown))


def _clean(model: PixelModel, pixels: Tensor) -> Tensor:
    return model.logits(pixels.to(model.device).float())


def _direction(slope: Slope, goal: Goal) -> Tensor:
    """Mean of the pictures' gradients, each of norm 1, over those not fooled yet, [3,S,S].

    All of them where every one is: the noise goes on growing safer.
    """
    sizes = slope.gradient.abs().flatten(1).sum(1).clamp_min(1e-30)[:, None, None, None]
    open = ~goal.reached(slope.logits)
    if not open.any():
        open = torch.ones_like(open)
    mean: Tensor = (slope.gradient / sizes)[open].mean(0)
    return mean
