"""What a training begins with beside chance: networks that teach it, a training it goes on from.

A teacher sees the very crop and patch that the pupil sees, and says how likely it finds every
class: more than the one label that a picture has. Hinton, Vinyals, Dean 2015, "Distilling the
Knowledge in a Neural Network", arXiv 1503.02531; the same view for both is Beyer and others 2021,
arXiv 2106.05237.
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
    """A trained network in `eval` mode, the wnids of its classes in order, the file it is from."""

    network: Network
    classes: tuple[str, ...]
    path: Path


@dataclass(frozen=True, slots=True)
class Lineage:
    """Those who teach, and the averaged weights `start` of another training.

    `digests` are SHA-256 of the files, in the order they were named: another lineage is another
    training.
    """

    teachers: tuple[Teacher, ...] = ()
    start: dict[str, Tensor] | None = None
    digests: tuple[str, ...] = ()

    def answers(self, pixels: Tensor, heat: float) -> Tensor:
        """What the teachers find of normalised pictures on average: [N,classes], rows sum to 1.

        Their logits are divided by `heat` before the softmax.
        """
        with torch.no_grad():
            found = [(one.network(pixels).float() / heat).softmax(1) for one in self.teachers]
        return torch.stack(found).mean(0)

    def check(self, classes: Sequence[str]) -> None:
        """Raise `TrainingStopped` where a teacher's answers would be about other classes."""
        for one in self.teachers:
            if one.classes != tuple(classes):
                raise TrainingStopped(
                    f"{one.path} knows other classes, or in another order: it cannot teach."
                )


ALONE = Lineage()
