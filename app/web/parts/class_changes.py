"""The likeliest classes before and after a part was covered or channels were switched off."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.runs.run import Run
from app.vision.cover import StepChange
from app.vision.predict import top
from app.web.core.templating import percent

SHOWN = 5


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class before and after; probabilities in 0..1."""

    index: int
    label: str
    before: float
    after: float
    logit_before: float
    logit_after: float

    @property
    def change(self) -> float:
        """Probability after minus before, in -1..1."""
        return self.after - self.before

    @property
    def points(self) -> str:
        """The change in percentage points, signed."""
        points = 100 * self.change
        size = f"{abs(points):.1f}" if abs(points) >= 0.05 else f"{abs(points):.2f}"
        return f"{'+' if points > 0 else '−'}{size}" if abs(points) >= 0.005 else "0"


@dataclass(frozen=True, slots=True)
class ClassChanges:
    """The five likeliest classes before and after, likeliest before first; the queried class."""

    rows: tuple[ClassRow, ...]  # each class that is among either five, once
    asked: ClassRow  # the queried class
    before: ClassRow  # the likeliest class
    after: ClassRow  # the likeliest class

    @property
    def flipped(self) -> bool:
        """Whether the predicted class changed."""
        return self.before.index != self.after.index

    @property
    def sentence(self) -> str:
        """How the prediction changed, in words."""
        one = self.asked
        change = f"{one.label}: {percent(one.before)} before, {percent(one.after)} now."
        if self.flipped:
            return f"{change} The network says {self.after.label} instead of {self.before.label}."
        return f"{change} The network still says {self.after.label}."


def class_changes(run: Run, change: StepChange, index: int, shown: int = SHOWN) -> ClassChanges:
    """Compare the logits before and after, [K] each."""
    before, after = top(change.before, shown), top(change.after, shown)
    order = list(dict.fromkeys(one.index for one in (*before, *after)))
    shares, later = change.before.softmax(0), change.after.softmax(0)

    def row(i: int) -> ClassRow:
        return ClassRow(
            i,
            run.model.labels[i].label,
            shares[i].item(),
            later[i].item(),
            change.before[i].item(),
            change.after[i].item(),
        )

    return ClassChanges(
        tuple(map(row, order)), row(index), row(before[0].index), row(after[0].index)
    )


def why_no_classes(run: Run) -> str:
    """Why there are no classes to compare; "" if there are."""
    if run.model.labels:
        return ""
    return (
        f"{run.model.row.title} ends at {run.model.outline.steps[-1].name}: this file has no "
        "classifier, so there are maps to compare but no class."
    )
