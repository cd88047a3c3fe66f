"""The sentences of a comparison: which channels are compared, what cannot be compared."""

from __future__ import annotations

from app.services.runs.comparison import MapComparison
from app.services.runs.run import Run
from app.web.compare.view import CompareView

DEFINITION = (
    "Relative distance: |b − a| / √(|a|² + |b|²) over all cells, 0 where two maps are the same, "
    "1 where they have nothing in common, 1.41 where one is the other’s negative."
)


def pairing_words(comparison: MapComparison) -> str:
    """Which channel is compared with which, and why."""
    here, there = comparison.here, comparison.there
    if comparison.pairing == "one":
        return (
            f"One picture, one step: channel {comparison.channel} of {here.record.step.name} "
            "next to the other channels of that step."
        )
    if comparison.pairing == "channels":
        if here.run.model.row.sha256 == there.run.model.row.sha256:
            return "The same network: a channel here is the same channel there."
        return (
            "The same architecture with other weights: a number names the same place in both, "
            "but each network learned its own channels. Where one has random weights, the "
            "differences are what training changed."
        )
    if here.run.model.row.architecture != there.run.model.row.architecture:
        return (
            "Two architectures: their channel numbers do not correspond, map 5 here has nothing "
            "to do with map 5 there. So the strongest map here is next to the strongest there, "
            "and so on down; maps shown side by side need not respond to the same thing."
        )
    return (
        f"{here.record.step.name} and {there.record.step.name} are different steps: their channel "
        "numbers do not correspond. The strongest map here is next to the strongest there."
    )


def lacking(runs: tuple[Run, Run], step: str) -> str:
    """What the other network does not have."""
    other = runs[1].model
    last = other.outline.steps[-1].name
    ends = f", which ends at {last}," if other.outline.partial else ""
    return (
        f"{other.row.title}{ends} has no step like {step}. Choose an earlier step here, or "
        "another network there."
    )


def invitation(view: CompareView) -> str:
    """What to choose first."""
    own = "" if view.channel is None else " Below it is next to the other channels of its step."
    return f"Choose what to compare it with: another picture, network, step or channel.{own}"
