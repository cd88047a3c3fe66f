"""The lines between feature maps: how much does a map contribute to a map of the next step?"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from app.services.runs.run import Run, StepRecord
from app.vision.arithmetic.explain import input_of
from app.vision.contributions import Contributions, conv_contributions, fc_contributions


@dataclass(frozen=True, slots=True)
class Line:
    """From channel `source` of the previous step to `target`; `share` is signed, -1..1.

    share = term / (|bias| + sum of |terms|), at the target's strongest cell.
    """

    source: int
    target: int
    share: float


def source_of(run: Run, name: str) -> str | None:
    """The step where the lines to a step start; a flattening is skipped. None for the input."""
    before = run.model.outline.step(name).inputs[0]
    if before not in run.model.geometry:
        return None
    step = run.model.outline.step(before)
    return step.inputs[0] if step.kind == "flatten" else before


def contributions(
    run: Run, record: StepRecord, channel: int, cell: tuple[int, int] | None = None
) -> Contributions | None:
    """The contribution of each input map to one output cell, by default the strongest.

    None for steps that are no weighted sums.
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


def lines(run: Run, record: StepRecord, shown: int, each: int = 3) -> list[Line]:
    """For each of the `shown` strongest channels, lines from its `each` largest shown sources."""
    source = source_of(run, record.step.name)
    if source is None or record.step.kind not in ("conv", "fc"):
        return []
    places = {step.name: i for i, step in enumerate(run.model.outline.steps)}
    sources = run.records[places[source]].statistics.strongest(shown)
    found = []
    for target in record.statistics.strongest(shown):
        if terms := contributions(run, record, target):
            found += _largest(terms, sources, target, each)
    return found


def _largest(sums: Contributions, sources: list[int], target: int, each: int) -> list[Line]:
    magnitude = sums.terms.abs().sum().item() + abs(sums.bias) or 1.0
    shares = (sums.terms[sources] / magnitude).tolist()
    ranked = sorted(zip(sources, shares, strict=True), key=lambda pair: -abs(pair[1]))
    return [Line(source, target, share) for source, share in ranked[:each]]
