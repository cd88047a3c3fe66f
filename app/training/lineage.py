"""What a training starts from besides random weights: teachers, the weights of another training.

Knowledge distillation: a teacher gets the same augmented picture as the student and gives the
probability of every class, which says more than the picture's one label. Hinton, Vinyals, Dean
2015, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531; the same view for both is
Beyer and others 2021, arXiv 2106.05237.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from app.errors import TrainingStopped
from models.graph import Network


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained network in `eval` mode, the wnids of its classes in order, and its file."""

    network: Network
    classes: tuple[str, ...]
    path: Path


@dataclass(frozen=True, slots=True)
class Lineage:
    """The teachers, and the averaged weights `start` of another training.

    `digests` are SHA-256 of the files in order: a training can only resume with the same lineage.
    """

    teachers: tuple[Teacher, ...] = ()
    start: dict[str, Tensor] | None = None
    digests: tuple[str, ...] = ()

    def predictions(self, pixels: Tensor, heat: float) -> Tensor:
        """The teachers' mean probabilities for normalised pictures: [N,classes].

        Their logits are divided by the temperature `heat` before the softmax.
        """
        with torch.no_grad():
            each = [(one.network(pixels).float() / heat).softmax(1) for one in self.teachers]
        return torch.stack(each).mean(0)

    def check(self, classes: Sequence[str]) -> None:
        """Raise `TrainingStopped` if a teacher has other classes."""
        for one in self.teachers:
            if one.classes != tuple(classes):
                raise TrainingStopped(
                    f"{one.path} knows other classes, or in another order: it cannot teach."
                )


ALONE = Lineage()
