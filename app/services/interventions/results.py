"""What occlusion, ablation and the brush compute, as it is cached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from app.vision.ablation import Costs, ranked
from app.vision.cover import StepChange

By = Literal["logits", "probabilities"]


@dataclass(frozen=True, slots=True)
class AblationRanking:
    """The cost to a class of switching off each channel alone: [C] in logits and probabilities.

    Values from index `done` on are not computed yet.
    """

    logits: Tensor
    probabilities: Tensor
    done: int

    @property
    def finished(self) -> bool:
        """True if all channels were tried."""
        return self.done == len(self.logits)

    def order(self, by: By) -> list[int]:
        """The channels tried so far, the one with the highest cost first."""
        known = Costs(range(self.done), self.logits[: self.done], self.probabilities[: self.done])
        return ranked([known], by)


@dataclass(frozen=True, slots=True)
class BrushResult:
    """The result of covering: `pixels` is the covered input, uint8 [3,S,S].

    `map` is one channel before and after, [H,W], or [] for a step without feature maps; `logits`
    is None without a classifier.
    """

    pixels: Tensor
    map: StepChange
    logits: StepChange | None

    @property
    def bytes(self) -> int:
        """Memory used."""
        changes = [self.map, *([self.logits] if self.logits else [])]
        floats = sum(one.before.numel() + one.after.numel() for one in changes)
        return self.pixels.numel() + 4 * floats + 1000


@dataclass(slots=True)
class OcclusionSoFar:
    """A map computed so far: `drops` [rows,columns], of which `done` rows are finished.

    `whole` is the unit's value with nothing covered; `seconds` is the time spent so far.
    """

    drops: Tensor
    whole: float
    done: int = 0
    seconds: float = 0.0

    @property
    def finished(self) -> bool:
        """True if all rows are computed."""
        return self.done == len(self.drops)

    @property
    def left(self) -> float:
        """Estimated seconds for the remaining rows."""
        return self.seconds / self.done * (len(self.drops) - self.done) if self.done else 0.0
