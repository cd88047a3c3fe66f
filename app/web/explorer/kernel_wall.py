"""The kernel wall: all colour kernels of a first convolution, sorted, next to untrained ones."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from torch import Tensor

from app.errors import WeightsMissing, WeightsRefused
from app.services.networks.catalogue import Catalogue, Model
from app.services.networks.random_weights import SEED, draw
from app.services.runs.arithmetic import weight_of, weight_of_module
from app.services.runs.run import Run
from app.vision.kernel_preferences import (
    COHERENCE,
    COLOUR,
    ORDERS,
    Order,
    Preference,
    arranged,
    kernel_preferences,
)
from app.web.core.links import View
from app.web.core.templating import percent
from app.web.parts.sprites import Tile, box, kernel_sheet
from models.graph import Step

WORDS: dict[Order, tuple[str, str]] = {
    "number": ("Number", "In the network's own order."),
    "hue": ("Hue", "Around the colour circle from red; then those that prefer no colour."),
    "orientation": ("Direction", "By the angle of their stripes or edge; then those without one."),
    "strength": ("Strength", "The largest weights first (L2 norm)."),
}

GROUPS: dict[Order, tuple[str, str]] = {
    "number": ("", ""),
    "hue": ("Prefer a colour", "Prefer no colour, the most colourful first"),
    "orientation": ("Prefer a direction", "Prefer no direction, the clearest first"),
    "strength": ("", ""),
}

MEASURES = (
    f"A kernel prefers a colour where at least {COLOUR:.0%} of its energy, the sum of its squared "
    "weights, lies in one pair of opposite colours (van de Sande, Gevers and Snoek 2010). It "
    f"prefers a direction where its coherence is at least {COHERENCE:g}: across its stripes it "
    "then changes at least three times as much as along them (Bigun and Granlund 1987)."
).replace("%", " %")


@dataclass(frozen=True, slots=True)
class KernelGroup:
    """A group of kernels."""

    title: str  # what they share; "" if all are in one group
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class NetworkKernels:
    """The kernels of one network."""

    title: str  # trained, or random weights
    sheet: str  # URL
    size: tuple[int, int]  # width and height of the sheet, pixels
    groups: tuple[KernelGroup, ...]  # in the selected order
    count: str  # how many have which preference, in words
    here: bool  # whether it is the network on screen


@dataclass(frozen=True, slots=True)
class WallSwitch:
    """One option of a switch."""

    title: str
    url: str
    set: str  # what the link changes in this page's URL; "" if another page is opened
    current: bool


@dataclass(frozen=True, slots=True)
class KernelWall:
    """All kernels of a step that reads the picture."""

    step: str
    count: int  # of kernels
    orders: tuple[WallSwitch, ...]
    switch: tuple[WallSwitch, ...]  # trained, random or both
    sides: tuple[NetworkKernels, ...]
    """This network's kernels, then its random twin's if both are shown."""
    order: str  # how they are sorted, in words
    measures: str  # how preferences are measured, with thresholds and sources
    problem: str  # why the twin cannot be shown; "" if it can


async def wall(view: View, run: Run, step: Step, catalogue: Catalogue) -> KernelWall | None:
    """The wall of a step; None if it does not read the picture."""
    url, _ = kernel_sheet(run.model, step)
    if not url:
        return None
    by = view.wall or "number"
    sides, problem = [_side(view, run.model, step, weight_of(run, step), by)], ""
    if view.both:
        twin = catalogue.model(run.model.entry.counterpart)
        try:
            weight = await _kernels(catalogue, twin, step)
            there = _side(view, twin, step, weight, by)
            sides.append(there)
        except (WeightsMissing, WeightsRefused) as error:
            problem = error.detail
        if run.model.state == "random":
            sides.reverse()
    return KernelWall(
        step=step.name,
        count=step.channels or 0,
        orders=tuple(_order(view, one, by) for one in ORDERS),
        switch=switch(view, run.model),
        sides=tuple(sides),
        order=WORDS[by][1],
        measures=MEASURES,
        problem=problem,
    )


def switch(view: View, model: Model, both: bool = True) -> tuple[WallSwitch, ...]:
    """Switch between trained and random weights; on a wall also both."""
    random = model.state == "random"
    other = model.entry.counterpart
    made = []
    for title, here in (("Trained", not random), ("Random", random)):
        url = view.url(model=model.id if here else other, both=None)
        made.append(WallSwitch(title, url, "both=" if here else "", here and not view.both))
    if both:
        made.append(WallSwitch("Both", view.url(both="on"), "both=on", bool(view.both)))
    return tuple(made)


def preference_sentence(one: Preference) -> str:
    """A kernel's preference, with the measured figures."""
    colour = f"{hue_name(one.hue)}, hue {one.hue:.0f}°" if one.is_coloured else "no colour"
    direction = f"{one.orientation:.0f}°" if one.is_oriented else "no direction"
    return (
        f"{colour} ({percent(one.colour)} of its energy in one pair), {direction} "
        f"(coherence {one.coherence:.2f}), strength {one.strength:.2f}"
    )


def hue_name(degrees: float) -> str:
    """The name of a hue, degrees on the colour circle."""
    names = ("red", "orange", "yellow", "lime", "green", "mint",
             "cyan", "azure", "blue", "violet", "magenta", "rose")  # fmt: skip
    return names[round(degrees / 30) % 12]


def count_sentence(found: list[Preference]) -> str:
    """How many kernels have which preference, in a sentence."""
    kinds = Counter((one.is_coloured, one.is_oriented) for one in found)
    return (
        f"Of {len(found)} kernels {kinds[True, False]} prefer a colour, {kinds[False, True]} a "
        f"direction, {kinds[True, True]} both, {kinds[False, False]} neither."
    )


def _side(view: View, model: Model, step: Step, weight: Tensor, by: Order) -> NetworkKernels:
    sheet, layout = kernel_sheet(model, step)
    found = kernel_preferences(weight)
    groups = [
        KernelGroup(
            title,
            tuple(
                Tile(
                    one.channel,
                    f"Kernel {one.channel}: {preference_sentence(one)}",
                    view.at(model=model.id, step=step.name, channel=one.channel, y=None, x=None),
                    box(layout, one.channel),
                )
                for one in group
            ),
        )
        for title, group in zip(GROUPS[by], arranged(found, by), strict=False)
        if group
    ]
    random = model.state == "random"
    title = f"Random weights (He initialisation, seed {SEED})" if random else "Trained"
    size = (layout.width, layout.height)
    return NetworkKernels(
        title, sheet, size, tuple(groups), count_sentence(found), model.id == view.model
    )


def _order(view: View, one: Order, by: Order) -> WallSwitch:
    wanted = None if one == "number" else one
    return WallSwitch(WORDS[one][0], view.url(wall=wanted), f"wall={wanted or ''}", one == by)


async def _kernels(catalogue: Catalogue, model: Model, step: Step) -> Tensor:
    """A network's kernels: of random weights only those that are shown are computed."""
    if model.state == "random":
        network = await asyncio.to_thread(draw, model.row, step.name)
    else:
        network = await catalogue.network(model.id)
    return weight_of_module(network.module(step.name))
