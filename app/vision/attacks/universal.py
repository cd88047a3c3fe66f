"""One noise for many pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor

import torch
from torch import Tensor

from app.vision.attacks.adam import Adam, falling
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pixel_grid import WHITE, AttackStep
from app.vision.attacks.pixel_model import PixelModel, Slope

BATCH = 32
PASSES = 5
RATE = 0.6
"""Adam's first step as a share of epsilon; it falls to nothing along a cosine."""
ENOUGH = 6.0
"""Where a picture's cross-entropy is beyond this, it is fooled well enough and left alone."""


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
    goal: AttackGoal | None = None,
    passes: int = PASSES,
    batch: int = BATCH,
    step_size: float | None = None,
    seed: int = 0,
) -> Iterator[UniversalStep]:
    """One noise of at most floor(epsilon) that fools as many of uint8 [N,3,S,S] as it can.

    v climbs the sum over a batch of min(loss at clip(x + v), 6) with Adam, within +-epsilon. The
    question is that of Moosavi-Dezfooli et al. 2017 (arXiv 1610.08401); the ascent with a loss
    that is cut off is that of Shafahi et al. 2020 (arXiv 1811.11304). Without a goal it is away
    from what each picture is taken for. A `step_size` is kept; without one it is 0.6 epsilon and
    falls. `seed` orders the pictures.
    """
    lot = torch.Generator().manual_seed(seed)
    wanted = goal or AttackGoal()
    wanted = wanted.settled(
        torch.cat([_clean(model, part) for part in torch.split(pictures, batch)])
    )
    # No farther than what can be shown: beyond it floats would only drift.
    most = float(floor(epsilon))
    climber = Adam(torch.zeros(pictures.shape[1:], device=model.device), -most, most)
    total, number = passes * ceil(len(pictures) / batch), 0
    for _ in range(passes):
        for places in torch.split(torch.randperm(len(pictures), generator=lot), batch):
            chosen = wanted.only(places.to(model.device))
            start = pictures[places.to(pictures.device)].to(model.device).float()
            slope = model.slope((start + climber.value.round()).clamp(0, WHITE), chosen)
            number += 1
            rate = falling(RATE * most, number, total) if step_size is None else step_size
            noise = climber.step(_direction(slope, chosen), rate)
            reached = float(chosen.reached(slope.logits).float().mean())
            yield UniversalStep(number, noise.round().to(torch.int16), reached)


def with_noise(pixels: Tensor, noise: Tensor) -> Tensor:
    """uint8 pictures [N,3,S,S] with a noise [3,S,S] on each, cut at black and white."""
    return (pixels.to(torch.int16) + noise.to(pixels.device)).clamp(0, WHITE).to(torch.uint8)


def scaled(noise: Tensor, factor: float, epsilon: float) -> Tensor:
    """A noise made smaller: factor times it in whole numbers, at most floor(epsilon), int16."""
    most = floor(epsilon)
    return (noise.float() * factor).round().clamp(-most, most).to(torch.int16)


def universal_growing(
    model: PixelModel, pixels: Tensor, noise: Tensor, own: float, epsilon: float, steps: int
) -> Iterator[AttackStep]:
    """A noise that was made before, on uint8 [1,3,S,S], growing to `epsilon`, at most its `own`.

    As many steps as there are whole pixel values, at most `steps`.
    """
    yield AttackStep(0, pixels, _clean(model, pixels))
    most = min(epsilon, own)
    count = min(steps, floor(most))
    for number in range(1, count + 1):
        now = most * number / count
        shown = with_noise(pixels, scaled(noise, now / own, now))
        yield AttackStep(number, shown, _clean(model, shown))


def universal_for_one(
    model: PixelModel,
    pixels: Tensor,
    goal: AttackGoal,
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


def _direction(slope: Slope, goal: AttackGoal) -> Tensor:
    """Sum of the gradients of those pictures that are not fooled well enough, [3,S,S].

    All of them where every one is: the noise goes on growing safer.
    """
    gain = goal.loss(slope.logits)
    open = gain < (0.0 if goal.targeted else ENOUGH)
    if not open.any():
        open = torch.ones_like(open)
    total: Tensor = slope.gradient[open].sum(0)
    return total
