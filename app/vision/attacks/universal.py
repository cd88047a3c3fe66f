"""Universal adversarial perturbation: one noise that fools a network on many pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor

import torch
from torch import Tensor

from app.vision.adam_ascent import PIXEL_EPS, Ascent, cosine_decay
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pixel_grid import WHITE, AttackStep
from app.vision.attacks.pixel_model import PixelModel, Slope

BATCH = 32
PASSES = 5
RATE = 0.6
"""Adam's first step as a share of epsilon; it decays to zero along a cosine."""
ENOUGH = 6.0
"""A picture with a cross-entropy above this is fooled well enough and no longer counts."""


@dataclass(frozen=True, slots=True)
class UniversalStep:
    """`noise` is whole-numbered int16 [3,S,S]; `reached` the success rate on the last batch, 0..1.

    The rate is that of the noise before this step.
    """

    number: int
    noise: Tensor
    reached: float


def universal(
    model: PixelModel,
    pictures: Tensor,
    epsilon: float,
    *,
    goal: AttackGoal | None = None,
    passes: int = PASSES,
    batch: int = BATCH,
    step_size: float | None = None,
    seed: int = 0,
) -> Iterator[UniversalStep]:
    """Train one noise of at most floor(epsilon) that fools as many of uint8 [N,3,S,S] as it can.

    v maximises the sum over a batch of min(loss at clip(x + v), 6) with Adam, within +-epsilon.
    The problem is that of Moosavi-Dezfooli et al. 2017 (arXiv 1610.08401); the ascent with a
    clipped loss is that of Shafahi et al. 2020 (arXiv 1811.11304). Without a goal it leads away
    from each picture's prediction. A given `step_size` is constant; the default is 0.6 epsilon and
    decays. `seed` shuffles the pictures.
    """
    generator = torch.Generator().manual_seed(seed)
    goals = goal or AttackGoal()
    goals = goals.settled(torch.cat([_clean(model, part) for part in torch.split(pictures, batch)]))
    # Whole-numbered like the noise that is shown: beyond it floats would only drift.
    most = float(floor(epsilon))
    zero = torch.zeros(pictures.shape[1:], device=model.device)
    ascent = Ascent(zero, RATE * most, eps=PIXEL_EPS, limits=(-most, most))
    total, number = passes * ceil(len(pictures) / batch), 0
    for _ in range(passes):
        for places in torch.split(torch.randperm(len(pictures), generator=generator), batch):
            chosen = goals.only(places.to(model.device))
            start = pictures[places.to(pictures.device)].to(model.device).float()
            slope = model.slope((start + ascent.values.round()).clamp(0, WHITE), chosen)
            number += 1
            rate = cosine_decay(RATE * most, number, total) if step_size is None else step_size
            noise = ascent.step(_direction(slope, chosen), rate)
            reached = float(chosen.reached(slope.logits).float().mean())
            yield UniversalStep(number, noise.round().to(torch.int16), reached)


def with_noise(pixels: Tensor, noise: Tensor) -> Tensor:
    """Add a noise [3,S,S] to each of uint8 pictures [N,3,S,S], clipped at black and white."""
    return (pixels.to(torch.int16) + noise.to(pixels.device)).clamp(0, WHITE).to(torch.uint8)


def scaled(noise: Tensor, factor: float, epsilon: float) -> Tensor:
    """Scale a noise by `factor`, rounded to whole numbers of at most floor(epsilon), int16."""
    most = floor(epsilon)
    return (noise.float() * factor).round().clamp(-most, most).to(torch.int16)


def universal_growing(
    model: PixelModel, pixels: Tensor, noise: Tensor, own: float, epsilon: float, steps: int
) -> Iterator[AttackStep]:
    """Add an already trained noise to uint8 [1,3,S,S], growing to `epsilon`, at most its `own`.

    One step for each whole pixel value, at most `steps`.
    """
    yield AttackStep(0, pixels, _clean(model, pixels))
    most = min(epsilon, own)
    count = min(steps, floor(most))
    for number in range(1, count + 1):
        now = most * number / count
        shown = with_noise(pixels, scaled(noise, now / own, now))
        yield AttackStep(number, shown, _clean(model, shown))


def universal_for_picture(
    model: PixelModel,
    pixels: Tensor,
    goal: AttackGoal,
    epsilon: float,
    steps: int,
    step_size: float | None = None,
    seed: int = 0,
) -> Iterator[AttackStep]:
    """Train `universal` on uint8 [1,3,S,S] alone and yield the noise on that picture."""
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


def _direction(slope: Slope, goal: AttackGoal) -> Tensor:
    """Sum of the gradients of the pictures that are not yet fooled well enough, [3,S,S].

    Of all pictures where every one is: the noise becomes more reliable.
    """
    gain = goal.loss(slope.logits)
    open = gain < (0.0 if goal.targeted else ENOUGH)
    if not open.any():
        open = torch.ones_like(open)
    total: Tensor = slope.gradient[open].sum(0)
    return total
