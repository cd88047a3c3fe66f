"""From logits to a prediction: the top-k classes with their probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.errors import NotFinite


@dataclass(frozen=True, slots=True)
class RankedClass:
    """One class: its index, logit, and probability in 0..1."""

    index: int
    logit: float
    probability: float


def finite_scores(logits: Tensor) -> Tensor:
    """The logits themselves, of any shape. Raises `NotFinite`: an `argmax` would name a class."""
    if not torch.isfinite(logits).all():
        raise NotFinite(
            "This network's scores are not finite numbers, so there is no ranking of its classes."
        )
    return logits


def top(logits: Tensor, k: int) -> list[RankedClass]:
    """The `k` most probable classes of one picture, in order; `logits` is [K].

    Probability is softmax, exp(z_i) / sum_j exp(z_j), over all K classes. Raises `NotFinite`.
    """
    probabilities = finite_scores(logits).softmax(0)
    order = probabilities.argsort(descending=True, stable=True)[:k].tolist()
    return [RankedClass(i, logits[i].item(), probabilities[i].item()) for i in order]
