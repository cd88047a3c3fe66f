"""The goal of an attack: untargeted (away from a class) or targeted (toward one)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True)
class AttackGoal:
    """Away from `labels`, or toward them where `targeted`; int64 [N], one for each picture.

    Without labels the attack leads away from the first prediction, which `settled` fills in.
    """

    labels: Tensor | None = None
    targeted: bool = False

    def settled(self, logits: Tensor) -> AttackGoal:
        """The same goal with labels: those predicted by [N,K] logits where there are none."""
        if self.labels is not None:
            return self
        return replace(self, labels=logits.detach().argmax(1))

    def only(self, places: Tensor) -> AttackGoal:
        """The goal of the pictures at the indices `places`, which may repeat."""
        return self if self.labels is None else replace(self, labels=self.labels[places])

    def loss(self, logits: Tensor) -> Tensor:
        """The loss an attack maximises, [N]: cross-entropy of the label, negative where targeted.

        -log softmax(z)_y from logits, for each picture by itself: no mean over the batch.
        """
        entropy = F.cross_entropy(logits, self._labels(logits), reduction="none")
        return -entropy if self.targeted else entropy

    def margin(self, logits: Tensor) -> Tensor:
        """The margin in logits, [N]: positive once the goal is reached.

        max_{i != y} z_i - z_y, or its negative where targeted. It has a gradient where softmax is
        saturated and cross-entropy has none (Carlini and Wagner 2017, arXiv 1608.04644, eq. f6).
        """
        labels = self._labels(logits)[:, None]
        own = logits.gather(1, labels)[:, 0]
        other = logits.scatter(1, labels, float("-inf")).amax(1)
        return own - other if self.targeted else other - own

    def reached(self, logits: Tensor) -> Tensor:
        """Whether the predicted class reaches the goal, bool [N]."""
        same = logits.argmax(1) == self._labels(logits)
        return same if self.targeted else ~same

    def _labels(self, logits: Tensor) -> Tensor:
        labels = self.settled(logits).labels
        if labels is None:
            raise ValueError("a goal that is settled has labels")
        # A label computed in inference mode cannot take part in a gradient; its copy can.
        return labels.clone() if labels.is_inference() else labels
