"""Success rate of an attack: the share of pictures whose predicted class changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.attacks.deepfool import deepfool
from app.vision.attacks.few_pixel import few_pixel
from app.vision.attacks.fgsm import fgsm
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.noise import gaussian_noise, sign_noise
from app.vision.attacks.pgd import pgd
from app.vision.attacks.pgd_l2 import pgd_l2
from app.vision.attacks.pixel_grid import AttackStep, l2, linf
from app.vision.attacks.pixel_model import PixelModel

Make = Callable[[PixelModel, Tensor, AttackGoal, float], Iterator[AttackStep]]
STEPS = 10


@dataclass(frozen=True, slots=True)
class Rate:
    """Over N pictures: the share whose predicted class changed, and mean norms of the change.

    `relative_l2` is the mean of |change| / |picture| in pixel values, DeepFool's robustness.
    """

    flipped: float
    linf: float
    l2: float
    relative_l2: float


def _sign(
    model: PixelModel, pixels: Tensor, goal: AttackGoal, epsilon: float
) -> Iterator[AttackStep]:
    noisy = sign_noise(pixels, epsilon)
    yield AttackStep(1, noisy, model.logits(noisy.to(model.device).float()))


def _gauss(
    model: PixelModel, pixels: Tensor, goal: AttackGoal, epsilon: float
) -> Iterator[AttackStep]:
    noisy = gaussian_noise(pixels, epsilon)
    yield AttackStep(1, noisy, model.logits(noisy.to(model.device).float()))


METHODS: dict[str, Make] = {
    "fgsm": fgsm,
    "pgd": lambda m, x, goal, e: pgd(m, x, goal, e, e / 4, STEPS),
    "sign noise": _sign,
    "pgd_l2": lambda m, x, goal, e: pgd_l2(m, x, goal, e, e / 4, STEPS),
    "gaussian noise": _gauss,
    "deepfool": lambda m, x, goal, e: deepfool(m, x, goal),
    "few_pixel": lambda m, x, goal, e: few_pixel(m, x, goal, int(e)),
}
"""Methods by name, each called with model, uint8 pictures, goal and epsilon."""

ONE_BY_ONE = {"few_pixel"}


def rate(
    model: PixelModel, pixels: Tensor, labels: Tensor, method: str, epsilon: float, batch: int = 32
) -> Rate:
    """Attack uint8 [N,3,S,S] away from the correct `labels`; the last 8-bit picture counts."""
    size = 1 if method in ONE_BY_ONE else batch
    figures = []
    for part, own in zip(torch.split(pixels, size), torch.split(labels, size), strict=True):
        own = own.to(model.device)
        *_, last = METHODS[method](model, part, AttackGoal(own), epsilon)
        shown = last.pixels.to(part.device)
        change = l2(shown, part)
        flipped = (last.logits.argmax(1) != own).to(part.device)
        figures.append(
            torch.stack([flipped, linf(shown, part), change, change / l2(part, 0 * part)])
        )
    return Rate(*torch.cat(figures, 1).double().mean(1).tolist())
