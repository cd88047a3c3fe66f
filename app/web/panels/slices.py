"""Panel: the kernel of a deeper unit, a slice for each input map, the strongest first."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from app.pictures.filters import slice_order
from app.pictures.sheets import arrange
from app.services.networks.catalogue import Model
from app.services.runs.arithmetic import weight_of
from app.services.runs.run import Run, StepRecord
from app.web.core.links import View, filters_url
from app.web.core.templating import number, percent
from app.web.panels.panel import UnitPanel, of_units
from app.web.parts.sprites import Legend, box
from app.web.parts.unit_names import map_name
from models.graph import Step

FIRST = 8
"""Slices in the pane; the others are loaded on request."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a kernel that reads one map."""

    channel: int  # of the map it reads
    label: str  # its part of the kernel's energy
    title: str  # for tooltips and screen readers
    url: str  # the page with the map it reads
    box: str  # its part of the sheet, as an SVG viewBox


@dataclass(frozen=True, slots=True)
class Slices:
    """A kernel, slice by slice."""

    source: str  # name of the step whose maps are read
    kernel: str  # size of a slice, in words
    count: int  # slices of the kernel
    tiles: tuple[Slice, ...]  # those that are shown, strongest first
    half: int  # how many of the strongest hold half of the energy
    sheet: str  # URL of all slices
    size: tuple[int, int]  # width and height of the sheet, pixels
    legend: Legend


def has_slices(model: Model, step: Step) -> bool:
    """Whether a step's kernels read maps, not the picture."""
    return step.kind == "conv" and step.inputs[0] in model.geometry


def first_slices(view: View, run: Run, step: Step, channel: int) -> Slices | None:
    """The strongest slices; None if the step has no such kernels."""
    if not has_slices(run.model, step):
        return None
    return _slices(view, run, step, channel, FIRST)


def slices(view: View, run: Run, record: StepRecord) -> Slices:
    """A panel: all slices of a unit's kernel."""
    return _slices(view, run, record.step, view.channel or 0, None)


def _slices(view: View, run: Run, step: Step, channel: int, shown: int | None) -> Slices:
    kernel, source = weight_of(run, step)[channel].detach().cpu(), step.inputs[0]
    count, height, width = kernel.shape
    layout = arrange(count, height, width)
    order, shares = slice_order(kernel), energy(kernel)
    limit = number(float(kernel.abs().max()))

    def made(place: int, one: int) -> Slice:
        share, name = percent(shares[one]), map_name(source, one)
        return Slice(
            one,
            share,
            f"{name}: {share} of the kernel’s energy",
            view.at(step=source, channel=one, y=None, x=None),
            box(layout, place),
        )

    return Slices(
        source=source,
        kernel=f"{height}×{width}",
        count=count,
        tiles=tuple(made(place, one) for place, one in enumerate(order[:shown])),
        half=half_of([shares[one] for one in order]),
        sheet=f"{filters_url(run.model, step.name)}&channel={channel}",
        size=(layout.width, layout.height),
        legend=Legend(
            "signed",
            f"−{limit}",
            limit,
            "All slices on one scale: colours end at the kernel’s largest weight.",
        ),
    )


def energy(kernel: Tensor) -> list[float]:
    """Each slice's part of the kernel's squared weights, [I,kh,kw] -> I numbers, sum 1."""
    each = kernel.double().square().sum((1, 2))
    whole = float(each.sum())
    shares: list[float] = (each / whole if whole else each).tolist()
    return shares


def half_of(shares: list[float]) -> int:
    """How many of the largest shares together make at least half."""
    total, wanted = 0.0, sum(shares) / 2
    for count, share in enumerate(shares, 1):
        total += share
        if total >= wanted:
            return count
    return len(shares)


PANEL = UnitPanel(
    "slices", "All slices of its kernel", of_units(has_slices), "partials/_slices.html", slices
)
