"""Few-pixel attack (L0): which few pixels to change, and to which colour?"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pixel_grid import WHITE, AttackStep, eight_bit
from app.vision.attacks.pixel_model import PixelModel

BY_SLOPE, AT_RANDOM = 96, 32
AT_ONCE = 8


def few_pixel(
    model: PixelModel, pixels: Tensor, goal: AttackGoal, count: int, *, seed: int = 0
) -> Iterator[AttackStep]:
    """Change at most `count` pixels of one uint8 picture [1,3,S,S], one after the other.

    The one-pixel attack of Su et al. 2019 (arXiv 1710.08864), but with a greedy search as in
    Papernot et al. 2016 (arXiv 1511.07528) instead of 40,000 trials of differential evolution.
    For each pixel the positions with the largest gradient of the margin, and some drawn at random,
    are tried in a corner of the colour cube, each with a forward pass; the best is kept. After
    `AT_ONCE` trials the best picture so far is yielded. Raises `ValueError` for more pictures.
    """
    if len(pixels) != 1:
        raise ValueError("pixels are chosen for one picture at a time")
    generator = torch.Generator().manual_seed(seed)
    best = pixels.to(model.device).float()
    taken = torch.zeros(best[0, 0].numel(), dtype=torch.bool, device=model.device)
    slope = model.slope(best, goal, margin=True)
    goal, logits, number = goal.settled(slope.logits), slope.logits, 0
    yield AttackStep(0, eight_bit(best), logits)
    for _ in range(count):
        if goal.reached(logits).all():
            return
        gradient = model.slope(best, goal, margin=True).gradient[0]
        places = _places(best[0], gradient, taken, generator)
        tried = best[0]
        for chunk in torch.split(places, AT_ONCE):
            number += 1
            trials = _painted(tried, gradient, chunk)
            best, logits, kept = _best(model, goal, trials, best, logits)
            if kept is not None:
                place = chunk[kept]
            yield AttackStep(number, eight_bit(best), logits)
        if best[0].equal(tried):
            return
        taken[place] = True


def _places(picture: Tensor, gradient: Tensor, taken: Tensor, generator: torch.Generator) -> Tensor:
    """Pixels to try, int64 indices: those with the largest linear gain, then some at random."""
    change = _corner(gradient) * WHITE - picture
    promise = (gradient * change).sum(0).flatten().masked_fill(taken, float("-inf"))
    order = promise.argsort(descending=True)[: int((~taken).sum())]
    others = order[BY_SLOPE:]
    drawn = torch.randperm(len(others), generator=generator)[:AT_RANDOM].to(order.device)
    return torch.cat([order[:BY_SLOPE], others[drawn]])


def _painted(picture: Tensor, gradient: Tensor, places: Tensor) -> Tensor:
    """Copies of [3,S,S], each with one pixel in its best corner of the colour cube."""
    trials = picture.flatten(1).repeat(len(places), 1, 1)
    colours = _corner(gradient).flatten(1)[:, places].T * WHITE
    trials[torch.arange(len(places)), :, places] = colours
    return trials.view(-1, *picture.shape)


def _corner(gradient: Tensor) -> Tensor:
    """The corner of the colour cube: 1 where the loss rises with the colour, else 0."""
    return (gradient > 0).float()


def _best(
    model: PixelModel, goal: AttackGoal, trials: Tensor, best: Tensor, logits: Tensor
) -> tuple[Tensor, Tensor, int | None]:
    """The best picture so far, its logits, and the index of its trial, None for an older one."""
    results = model.logits(trials)
    many = goal.only(torch.zeros(len(trials), dtype=torch.long, device=trials.device))
    margins = many.margin(results)
    top = int(margins.argmax())
    if margins[top] <= goal.margin(logits)[0]:
        return best, logits, None
    # Run once more alone: in a batch the last digits may be rounded differently.
    return trials[top][None], model.logits(trials[top][None]), top
