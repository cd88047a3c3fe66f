"""From logits to a prediction: the top-k classes with their probabilities."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class RankedClass:
    """One class: its index, logit, and probability in 0..1."""

    index: int
    logit: float
    probability: float


def top(logits: Tensor, k: int) -> list[RankedClass]:
    """The `k` most probable classes of one picture, in order; `logits` is [K].

    Probability is softmax, exp(z_i) / sum_j exp(z_j), over all K classes.
    """
    probabilities = logits.softmax(0)
    order = probabilities.argsort(descending=True, stable=True)[:k].tolist()
    return [RankedClass(i, logits[i].item(), probabilities[i].item()) for i in order]
