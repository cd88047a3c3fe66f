"""A few pixels only: where to put them and in which colour."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pixel_grid import WHITE, AttackStep, eight_bit
from app.vision.attacks.pixel_model import PixelModel

BY_SLOPE, BY_LOT = 96, 32
AT_ONCE = 8


def few_pixel(
    model: PixelModel, pixels: Tensor, goal: AttackGoal, count: int, *, seed: int = 0
) -> Iterator[AttackStep]:
    """Change at most `count` pixels of one uint8 picture [1,3,S,S], one after the other.

    The question is that of Su et al. 2019 (arXiv 1710.08864); the search is greedy, as in
    Papernot et al. 2016 (arXiv 1511.07528), instead of their 40,000 trials of differential
    evolution. For each pixel the places with the steepest margin, and some drawn by lot, are
    tried in a corner of the colour cube, all of them really run; the best stays. Every
    `AT_ONCE` trials the best picture so far is shown. Raises `ValueError` for more pictures.
    """
    if len(pixels) != 1:
        raise ValueError("pixels are chosen for one picture at a time")
    lot = torch.Generator().manual_seed(seed)
    best = pixels.to(model.device).float()
    taken = torch.zeros(best[0, 0].numel(), dtype=torch.bool, device=model.device)
    slope = model.slope(best, goal, margin=True)
    goal, logits, number = goal.settled(slope.logits), slope.logits, 0
    yield AttackStep(0, eight_bit(best), logits)
    for _ in range(count):
        if goal.reached(logits).all():
            return
        gradient = model.slope(best, goal, margin=True).gradient[0]
        places = _places(best[0], gradient, taken, lot)
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


def _places(picture: Tensor, gradient: Tensor, taken: Tensor, lot: torch.Generator) -> Tensor:
    """Pixels to try: the most promising by the slope, then some by lot; int64 indices."""
    change = _corner(gradient) * WHITE - picture
    promise = (gradient * change).sum(0).flatten().masked_fill(taken, float("-inf"))
    order = promise.argsort(descending=True)[: int((~taken).sum())]
    others = order[BY_SLOPE:]
    drawn = torch.randperm(len(others), generator=lot)[:BY_LOT].to(order.device)
    return torch.cat([order[:BY_SLOPE], others[drawn]])


def _painted(picture: Tensor, gradient: Tensor, places: Tensor) -> Tensor:
    """Copies of [3,S,S], each with one pixel in its best corner of the colour cube."""
    trials = picture.flatten(1).repeat(len(places), 1, 1)
    colours = _corner(gradient).flatten(1)[:, places].T * WHITE
    trials[torch.arange(len(places)), :, places] = colours
    return trials.view(-1, *picture.shape)


def _corner(gradient: Tensor) -> Tensor:
    """1 where the loss rises with the colour, else 0."""
    return (gradient > 0).float()


def _best(
    model: PixelModel, goal: AttackGoal, trials: Tensor, best: Tensor, logits: Tensor
) -> tuple[Tensor, Tensor, int | None]:
    """The best picture so far with its logits, and which trial it is, None where it is none."""
    answers = model.logits(trials)
    many = goal.only(torch.zeros(len(trials), dtype=torch.long, device=trials.device))
    margins = many.margin(answers)
    top = int(margins.argmax())
    if margins[top] <= goal.margin(logits)[0]:
        return best, logits, None
    # Asked once more alone: a batch may round its last digits otherwise.
    return trials[top][None], model.logits(trials[top][None]), top
