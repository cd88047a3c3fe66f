"""How unusual a picture is to a network: scores that fall for what it was not trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from models.graph import Network


def energy(logits: Tensor) -> Tensor:
    """Negative free energy, log of the sum of exp(z), of [N,K] logits: [N] (arXiv 2010.03759)."""
    return logits.logsumexp(1)


def max_logit(logits: Tensor) -> Tensor:
    """The largest of [N,K] logits: [N] (arXiv 1911.11132)."""
    return logits.amax(1)


def feature_norm(maps: Tensor) -> Tensor:
    """Euclidean norm of what a step made, [N,C,H,W]: [N]; small where little responds."""
    norms: Tensor = torch.linalg.vector_norm(maps.flatten(1), dim=1)
    return norms


def stage_ends(network: Network) -> dict[int, str]:
    """The step of each stage 1-5 whose maps speak for it: its last one before the pool."""
    return {
        step.stage: step.name
        for step in network.steps
        if step.stage is not None and step.kind in ("relu", "concat")
    }
