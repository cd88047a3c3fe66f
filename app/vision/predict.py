"""From logits to ranked classes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class RankedClass:
    """One class: its index, its logit, and its probability in 0..1."""

    index: int
    logit: float
    probability: float


def top(logits: Tensor, k: int) -> list[RankedClass]:
    """The `k` likeliest classes of one picture, likeliest first; `logits` is [K].

    Probability is softmax, exp(z_i) / sum_j exp(z_j), over all K classes.
    """
    probabilities = logits.softmax(0)
    order = probabilities.argsort(descending=True, stable=True)[:k].tolist()
    return [RankedClass(i, logits[i].item(), probabilities[i].item()) for i in order]
