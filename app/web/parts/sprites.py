"""Where a map lies in its sheet, and the legend of its colours."""

from __future__ import annotations

from dataclasses import dataclass

from app.pictures.palettes import PaletteName
from app.pictures.sheets import SheetLayout, arrange
from app.services.networks.catalogue import Model
from app.services.runs.run import Run, StepRecord
from app.services.runs.sheets import palette_of
from app.web.core.links import View, filters_url
from app.web.core.templating import number
from models.graph import Step


@dataclass(frozen=True, slots=True)
class Tile:
    """One map on a card."""

    channel: int
    title: str  # for tooltips and screen readers
    url: str  # the page with this map selected
    box: str  # its part of the sheet, as an SVG viewBox


@dataclass(frozen=True, slots=True)
class Legend:
    """How to read the colours."""

    palette: PaletteName
    low: str  # the value at the left end
    high: str  # the value at the right end
    sentence: str  # the scale in words


SCALE_WORDS = {
    "unit": "Each map on its own scale: its colours end at its own largest magnitude.",
    "layer": "All maps of a step on one scale: colours end at the step's largest magnitude.",
    "network": "All maps on one scale: colours end at the largest magnitude in the network.",
}


def legend(view: View, run: Run, record: StepRecord, limit: float | None = None) -> Legend:
    """The legend of a step's colours; `limit` is the unit's own where one is selected."""
    palette = palette_of(record.step, run.model.outline.logits)
    spatial = run.spatial(record.step.name)
    scale = view.scale if spatial else "layer"
    if scale == "network" and not run.finished:
        scale = "layer"
    if scale == "network":
        limit = run.network_limit()
    elif scale == "layer":
        limit = record.statistics.limit
    low = "0" if palette == "nonnegative" else "−" if limit is None else f"−{number(limit)}"
    high = "own" if limit is None else number(limit)
    return Legend(palette, low, high, SCALE_WORDS[scale])


def kernel_sheet(model: Model, step: Step) -> tuple[str, SheetLayout]:
    """URL and layout of a step's colour kernels; an empty URL if it does not read the picture."""
    if step.kind != "conv" or step.kernel is None or step.inputs[0] in model.geometry:
        return "", SheetLayout(0, 0, 1, 1, 0)
    kh, kw = step.kernel
    return filters_url(model, step.name), arrange(model.geometry[step.name].shape[0], kh, kw)


def box(layout: SheetLayout, i: int) -> str:
    """Tile i of a sheet as an SVG viewBox."""
    x, y = layout.position(i)
    return f"{x} {y} {layout.tile_width} {layout.tile_height}"
