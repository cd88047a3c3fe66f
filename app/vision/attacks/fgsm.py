"""FGSM, the fast gradient sign method: a one-step L-infinity attack."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pgd import pgd
from app.vision.attacks.pixel_grid import AttackStep
from app.vision.attacks.pixel_model import PixelModel


def fgsm(
    model: PixelModel, pixels: Tensor, goal: AttackGoal, epsilon: float
) -> Iterator[AttackStep]:
    """One step of `epsilon` pixel values along the gradient's sign, from uint8 [N,3,S,S].

    x' = clip_{0..255}(x + epsilon * sign(grad L(x))) (Goodfellow et al. 2015, arXiv 1412.6572,
    section 4); minus toward a target (Kurakin et al. 2017, arXiv 1607.02533).
    """
    return pgd(model, pixels, goal, epsilon, epsilon, 1)
