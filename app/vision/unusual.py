"""Out-of-distribution detection: how unusual is a picture to a network, compared with photos?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

STYLED = (1, 2, 3)
"""The stages whose profile is a score: edges, colours and textures, which show style."""

FLOOR = 0.1
"""Share of the mean spread added to every spread: a nearly silent map must not dominate."""


RARE = 0.05
"""A picture is called unusual up to this p-value: one in twenty usual ones is, too."""


@dataclass(frozen=True, slots=True)
class ScorePlace:
    """The rank of a score among `count` reference scores.

    `below`, `equal` and `above` count the reference scores that are lower, the same and higher.
    """

    below: int
    equal: int
    above: int

    @property
    def count(self) -> int:
        return self.below + self.equal + self.above

    def p_value(self, side: str) -> float:
        """Conformal p-value, (1 + number at least as unusual) / (n + 1), in 0..1.

        `side` says what is unusual: `low` scores, `high` ones, or `both`, for which the smaller
        of the two p-values counts twice (Bonferroni), 1 at most. A tie is as unusual.
        """
        low = (1 + self.below + self.equal) / (self.count + 1)
        high = (1 + self.above + self.equal) / (self.count + 1)
        return {"low": low, "high": high}.get(side, min(1.0, 2 * min(low, high)))

    def beaten(self, side: str) -> float:
        """The share of reference scores that are less unusual, 0..1; `both` as in `p_value`."""
        low, high = self.above / self.count, self.below / self.count
        return {"low": low, "high": high}.get(side, max(0.0, 2 * max(low, high) - 1))


def place(score: float, references: Tensor) -> ScorePlace:
    """Rank a score among references sorted in ascending order, [N]."""
    value = torch.tensor(score, dtype=references.dtype)
    below = int(torch.searchsorted(references, value))
    upto = int(torch.searchsorted(references, value, right=True))
    return ScorePlace(below, upto - below, len(references) - upto)


def thresholds(references: Tensor, side: str) -> tuple[float, ...]:
    """The reference scores beyond which a score is unusual, p <= `RARE`: low one, high one.

    `references` [N] are sorted in ascending order; of too few none is that rare.
    """
    each = RARE / 2 if side == "both" else RARE
    rank = int(each * (len(references) + 1) + 1e-9) - 1
    if not 0 <= rank < len(references):
        return ()
    ends = {"low": (rank,), "high": (-1 - rank,)}.get(side, (rank, -1 - rank))
    return tuple(float(references[i]) for i in ends)


def energy(logits: Tensor) -> Tensor:
    """Negative free energy, log of the sum of exp(z), of [N,K] logits: [N] (arXiv 2010.03759)."""
    return logits.logsumexp(1)


def max_logit(logits: Tensor) -> Tensor:
    """The largest of [N,K] logits: [N] (arXiv 1911.11132)."""
    return logits.amax(1)


def feature_norm(maps: Tensor) -> Tensor:
    """Euclidean norm of a step's output [N,C,H,W]: [N]; small where few units respond."""
    norms: Tensor = torch.linalg.vector_norm(maps.flatten(1), dim=1)
    return norms


def mean_response(maps: Tensor) -> Tensor:
    """The mean of each map of a step, [N,C,H,W]: [N,C]."""
    return maps.mean((2, 3))


def profile(responses: Tensor) -> Tensor:
    """The usual response of each channel, from responses [N,C]: mean and spread, [2,C].

    The spread is the standard deviation plus a tenth of its mean over the channels.
    """
    spread = responses.std(0, correction=0)
    return torch.stack([responses.mean(0), spread + FLOOR * spread.mean()])


def profile_distance(responses: Mapping[str, Tensor], profiles: Mapping[str, Tensor]) -> Tensor:
    """Distance of pictures from the profiles [2,C] of some steps: [N], 0 is the mean.

    The root of the mean over the steps of mean_c ((r_c - mean_c) / spread_c)^2, for responses
    [N,C] of each step. The idea of a distance to training features: Lee et al. 2018
    (arXiv 1807.03888), with independent channels and one centre.
    """
    squares = [
        ((responses[name] - mean) / spread).square().mean(1)
        for name, (mean, spread) in profiles.items()
    ]
    return torch.stack(squares).mean(0).sqrt()
