"""Robustness curve: what does a network predict as the epsilon of attack and noise grows?"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.noise import sign_noise
from app.vision.attacks.pgd import pgd
from app.vision.attacks.pixel_model import PixelModel

Method = Literal["pgd", "fgsm"]

EPSILONS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Whole numbers, because 8 bits cannot hold a change of less than one pixel value."""
SEEDS = 8
"""Number of random noises at each epsilon."""
STEPS = 10
"""Steps of PGD, each of epsilon / 4."""


@dataclass(frozen=True, slots=True)
class SweepAnswer:
    """The prediction for one 8-bit picture.

    `probability` is that of the clean picture's class, `target` that of the target, if any.
    """

    label: int
    probability: float
    target: float | None


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One epsilon: the prediction for the attacked picture, and for each of some random noises."""

    epsilon: int
    attack: SweepAnswer
    noise: tuple[SweepAnswer, ...]


@dataclass(frozen=True, slots=True)
class SweepPass:
    """One forward pass without a result yet: other jobs may run before the next."""


@dataclass(frozen=True, slots=True)
class SweepSubject:
    """The subject of a sweep: uint8 [1,3,S,S], away from its first class or toward `target`.

    `batch` is the largest number of pictures in one forward pass.
    """

    model: PixelModel
    pixels: Tensor
    method: Method = "pgd"
    target: int | None = None
    seed: int = 0
    batch: int = 4


def sweep(
    subject: SweepSubject, epsilons: Sequence[int] = EPSILONS
) -> Iterator[SweepPoint | SweepPass]:
    """Yield a point for each epsilon, then for those just below the first success of each kind.

    PGD (Madry et al. 2018) by epsilon / 4 in 10 steps, or FGSM, for each epsilon separately from
    the clean picture: it may succeed at one and fail at a larger one. Several epsilons form a
    batch; they do not affect each other, because losses are summed, never averaged.
    """
    logits = subject.model.logits(subject.pixels.to(subject.model.device).float())
    start = int(logits.argmax(1))
    seen: dict[int, SweepPoint] = {}
    while left := [one for one in epsilons if one not in seen]:
        for part in _parts(left, subject.batch):
            attacked = yield from _attacked(subject, start, part)
            for epsilon, logits in zip(part, attacked, strict=True):
                noise = yield from _noisy(subject, start, epsilon)
                point = SweepPoint(epsilon, _prediction(logits, start, subject.target), noise)
                seen[epsilon] = point
                yield point
        found = sorted(seen.values(), key=lambda one: one.epsilon)
        kinds = attack_succeeded(start, subject.target), noise_succeeded(start)
        epsilons = sorted({one for succeeded in kinds for one in _before(found, succeeded)})


def attack_succeeded(start: int, target: int | None) -> Callable[[SweepPoint], bool]:
    """A test for a point: does the attack succeed, away from `start` or at `target` if given?"""
    if target is None:
        return prediction_changed(start)
    return lambda one: one.attack.label == target


def prediction_changed(start: int) -> Callable[[SweepPoint], bool]:
    """A test for a point: is the prediction for the attacked picture another than `start`?"""
    return lambda one: one.attack.label != start


def noise_succeeded(start: int) -> Callable[[SweepPoint], bool]:
    """A test for a point: does any of its noises change the prediction from `start`?"""
    return lambda one: any(answer.label != start for answer in one.noise)


def smallest_epsilon(
    points: Sequence[SweepPoint], succeeded: Callable[[SweepPoint], bool]
) -> int | None:
    """The smallest epsilon at which `succeeded` is true; None where it is false at every point."""
    return min((one.epsilon for one in points if succeeded(one)), default=None)


def _before(points: Sequence[SweepPoint], succeeded: Callable[[SweepPoint], bool]) -> list[int]:
    """The whole epsilons between the first at which `succeeded` is true and the one before it."""
    first = smallest_epsilon(points, succeeded)
    below = [one.epsilon for one in points if first is not None and one.epsilon < first]
    return list(range(max(below) + 1, first)) if first is not None and below else []


def _attacked(
    subject: SweepSubject, start: int, epsilons: Sequence[int]
) -> Generator[SweepPass, None, list[Tensor]]:
    """Attack a picture with N epsilons in one batch; returns the last logits of each, [K]."""
    label = start if subject.target is None else subject.target
    labels = torch.full((len(epsilons),), label, device=subject.model.device)
    goal = AttackGoal(labels, targeted=subject.target is not None)
    most = torch.tensor(epsilons, device=subject.model.device).view(-1, 1, 1, 1).float()
    pictures = subject.pixels.expand(len(epsilons), -1, -1, -1)
    size, steps = (most, 1) if subject.method == "fgsm" else (most / 4, STEPS)
    logits = torch.empty(0)
    for step in pgd(subject.model, pictures, goal, most, size, steps):
        logits = step.logits
        yield SweepPass()
    return list(logits)


def _noisy(
    subject: SweepSubject, start: int, epsilon: int
) -> Generator[SweepPass, None, tuple[SweepAnswer, ...]]:
    """Classify the picture under each random noise; returns the predictions."""
    # The first is the control of an attack with this seed.
    seeds = range(subject.seed + 1, subject.seed + 1 + SEEDS)
    predictions: list[SweepAnswer] = []
    for part in _parts(seeds, subject.batch):
        pictures = torch.cat([sign_noise(subject.pixels, epsilon, seed) for seed in part])
        logits = subject.model.logits(pictures.to(subject.model.device).float())
        predictions += [_prediction(one, start, subject.target) for one in logits]
        yield SweepPass()
    return tuple(predictions)


def _prediction(logits: Tensor, start: int, target: int | None) -> SweepAnswer:
    shares = logits.double().softmax(0)
    reached = None if target is None else float(shares[target])
    return SweepAnswer(int(logits.argmax()), float(shares[start]), reached)


def _parts(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Split into batches of `size`."""
    return (items[start : start + size] for start in range(0, len(items), max(1, size)))
