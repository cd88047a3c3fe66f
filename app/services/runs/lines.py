"""The lines between maps: which shown map of one step contributes how much to one of the next."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from app.services.runs.run import Record, Run
from app.vision.arithmetic.explain import input_of
from app.vision.contributions import Contributions, conv_contributions, fc_contributions


@dataclass(frozen=True, slots=True)
class Line:
    """From `source` of the step before to `target`; `share` is signed, of all magnitudes, -1..1.

    share = term / (|bias| + sum of |terms|), at the target's strongest cell.
    """

    source: int
    target: int
    share: float


def source_of(run: Run, name: str) -> str | None:
    """The step whose maps lines start from; the maps before them where a step is a flattening."""
    before = run.model.outline.step(name).inputs[0]
    if before not in run.model.geometry:
        return None
    step = run.model.outline.step(before)
    return step.inputs[0] if step.kind == "flatten" else before


def contributions(
    run: Run, record: Record, channel: int, cell: tuple[int, int] | None = None
) -> Contributions | None:
    """What each input map adds to one output cell, by default the channel's strongest.

    None for steps that add nothing up.
    """
    step = record.step
    module = run.network.module(step.name)
    before = step.inputs[0]
    if isinstance(module, nn.Conv2d):
        inputs, rectify = input_of(run.network, run.output, before)
        output = run.tensor(step.name)
        return conv_contributions(step, module, inputs, output, channel, cell, rectify=rectify)
    if isinstance(module, nn.Linear):
        source = source_of(run, step.name) or before
        groups = run.model.geometry[source].shape[0]
        return fc_contributions(module, run.tensor(before), run.tensor(step.name), channel, groups)
    return None


def lines(run: Run, record: Record, shown: int, each: int = 3) -> list[Line]:
    """For each of the `shown` strongest channels its `each` weightiest shown sources."""
    source = source_of(run, record.step.name)
    if source is None or record.step.kind not in ("conv", "fc"):
        return []
    places = {step.name: i for i, step in enumerate(run.model.outline.steps)}
    sources = run.records[places[source]].statistics.strongest(shown)
    found = []
    for target in record.statistics.strongest(shown):
        if made := contributions(run, record, target):
            found += _weightiest(made, sources, target, each)
    return found


def _weightiest(made: Contributions, sources: list[int], target: int, each: int) -> list[Line]:
    magnitude = made.terms.abs().sum().item() + abs(made.bias) or 1.0
    shares = (made.terms[sources] / magnitude).tolist()
    ranked = sorted(zip(sources, shares, strict=True), key=lambda pair: -abs(pair[1]))
    return [Line(source, target, share) for source, share in ranked[:each]]
