"""Adversarial sticker (patch): trained to be classified as a target wherever it is placed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from app.vision.adam_ascent import PIXEL_EPS, Ascent, cosine_decay
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.paste import TURN, Placement, diameter, paste, pasted, random_placements
from app.vision.attacks.pixel_grid import WHITE, AttackStep, eight_bit
from app.vision.attacks.pixel_model import PixelModel

BATCH = 32
STEPS = 400
AREAS = 0.10, 0.15
"""Least and largest share of the picture that a sticker covers in training."""
RATE = 16.0
"""Adam's first step in pixel values; it decays to zero along a cosine."""


@dataclass(frozen=True, slots=True)
class StickerStep:
    """`sticker` is uint8 [3,P,P] after the step; `reached` the batch's success rate before it."""

    number: int
    sticker: Tensor
    reached: float


def train_sticker(
    model: PixelModel,
    pictures: Tensor,
    goal: AttackGoal,
    *,
    areas: tuple[float, float] = AREAS,
    turn: float = TURN,
    steps: int = STEPS,
    batch: int = BATCH,
    seed: int = 0,
) -> Iterator[StickerStep]:
    """Train a round sticker on uint8 pictures [N,3,S,S] at random positions, sizes and rotations.

    Maximises E[loss(paste(picture, sticker, place))] over pictures and places with Adam: the
    expectation over transformation of Athalye et al. 2018 (arXiv 1707.07397) and the patch of
    Brown et al. 2017 (arXiv 1712.09665). `areas` is the least and largest share of the picture
    it covers, `turn` its largest rotation in degrees; `goal` has a label for each picture. P is its
    largest side on the picture: finer details would be lost. Deterministic for a `seed`.
    """
    generator = torch.Generator().manual_seed(seed)
    side, scales = pictures.shape[-1], (diameter(areas[0]), diameter(areas[1]))
    own = ceil(scales[1] * side)
    sticker = (WHITE / 2 + 20 * torch.randn(3, own, own, generator=generator)).to(model.device)
    ascent = Ascent(sticker.clamp(0, WHITE), RATE, eps=PIXEL_EPS, limits=(0, WHITE))
    for number in range(1, steps + 1):
        chosen = torch.randint(len(pictures), (batch,), generator=generator)
        place = random_placements(batch, side, scales, generator, turn)
        under = pictures[chosen.to(pictures.device)].to(model.device).float()
        part = goal.only(chosen.to(model.device))
        gradient, logits = _gradient(model, under, ascent.values, place, part)
        sticker = ascent.step(gradient, cosine_decay(RATE, number, steps))
        reached = float(part.reached(logits).float().mean())
        yield StickerStep(number, eight_bit(sticker.round()), reached)


def sticker_for_picture(
    model: PixelModel, pixels: Tensor, goal: AttackGoal, area: float, steps: int, seed: int = 0
) -> Iterator[AttackStep]:
    """Train a sticker on uint8 [1,3,S,S] alone and yield it pasted at a fixed place.

    `area` is the share of the picture it covers, 0..1; the place is drawn by `seed`.
    """
    logits = model.logits(pixels.to(model.device).float())
    goal = goal.settled(logits)
    yield AttackStep(0, pixels, logits)
    place = place_of(pixels.shape[-1], area, seed)
    made = train_sticker(
        model, pixels, goal, areas=(0.8 * area, area), steps=steps, batch=8, seed=seed
    )
    for step in made:
        shown = pasted(pixels, step.sticker, place)
        seen = model.logits(shown.to(model.device).float())
        yield AttackStep(step.number, shown, seen)


def sticker_at_places(
    model: PixelModel, pixels: Tensor, sticker: Tensor, area: float, places: int, seed: int = 0
) -> Iterator[AttackStep]:
    """Paste an already trained sticker, uint8 [3,P,P], on uint8 [1,3,S,S]: each step a new place.

    It covers `area`, 0..1. Places and rotations are drawn with `seed`; the last is `place_of`.
    """
    side, generator = pixels.shape[-1], torch.Generator().manual_seed(seed + 1)
    yield AttackStep(0, pixels, model.logits(pixels.to(model.device).float()))
    for number in range(1, places + 1):
        there = random_placements(1, side, (diameter(area), diameter(area)), generator)
        shown = pasted(pixels, sticker, there if number < places else place_of(side, area, seed))
        yield AttackStep(number, shown, model.logits(shown.to(model.device).float()))


def random_sticker(pixels: Tensor, area: float, seed: int = 0) -> Tensor:
    """uint8 [1,3,S,S] with a sticker of random colours where `sticker_for_picture` pastes it."""
    sticker = random_colours(ceil(diameter(area) * pixels.shape[-1]), seed)
    return pasted(pixels, sticker, place_of(pixels.shape[-1], area, seed))


def random_colours(side: int, seed: int = 0) -> Tensor:
    """The control: a sticker of random numbers, uint8 [3,side,side]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, WHITE + 1, (3, side, side), generator=generator, dtype=torch.uint8)


def place_of(side: int, area: float, seed: int) -> Placement:
    """The place of a sticker that covers `area` (0..1), drawn with a seed."""
    generator = torch.Generator().manual_seed(seed)
    return random_placements(1, side, (diameter(area), diameter(area)), generator)


def _gradient(
    model: PixelModel, under: Tensor, sticker: Tensor, place: Placement, goal: AttackGoal
) -> tuple[Tensor, Tensor]:
    """Gradient of the summed loss with respect to the sticker, [3,P,P], and the logits."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = sticker.detach().clone().requires_grad_()
        mixed = paste(under, leaf, place)
        slope = model.slope(mixed, goal)
        (gradient,) = torch.autograd.grad(mixed, leaf, slope.gradient)
    return gradient, slope.logits
