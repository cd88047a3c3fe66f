"""The arithmetic of steps with a sliding window: convolution and max pooling."""

from __future__ import annotations

import json
import math
from urllib.parse import quote

from torch import Tensor

from app.errors import BadRequest
from app.services.runs.run import Run, StepRecord
from app.services.runs.sheets import version
from app.vision.arithmetic.chain import CellPlace
from app.vision.arithmetic.convolution import ConvCell
from app.vision.arithmetic.pooling import PoolCell
from app.vision.window import Window
from app.web.core.base_path import base
from app.web.core.links import API, View, input_url, sheet_url
from app.web.core.templating import number
from app.web.explorer.arithmetic.contexts import ConvMade, PoolMade, Scan
from app.web.parts.number_grids import Grid, compact, grid
from app.web.parts.terms import Term
from app.web.parts.unit_names import map_name, place_name, place_url
from models.graph import INPUT

ALL_INPUTS = 300_000
"""Most input numbers that a page loads for all maps; above, only the selected map."""

WRITTEN = 5
"""Widest kernel whose three grids have enough space for numbers."""

SHIFTS = (("←", "left", -1, 0), ("→", "right", 1, 0), ("↑", "up", 0, -1), ("↓", "down", 0, 1))


def conv_made(
    view: View, run: Run, record: StepRecord, place: CellPlace, cell: ConvCell
) -> tuple[str, ConvMade, str]:
    """Patch times kernel for one input map, and the contribution of every input map."""
    step, before = record.step, record.step.inputs[0]
    terms = cell.terms
    order = terms.abs().argsort(descending=True, stable=True).tolist()
    source = order[0] if view.source is None else view.source
    if not 0 <= source < len(order):
        raise BadRequest(f"{step.name} reads maps 0 to {len(order) - 1}, not {source}.")
    magnitude = cell.magnitude or 1.0
    values = terms.tolist()
    sums = tuple(
        Term(
            i,
            values[i],
            abs(values[i]) / magnitude,
            view.url(source=i),
            map_name(before, i),
        )
        for i in order
    )
    numbers = max(Window.of(step).kernel) <= WRITTEN
    outside = Window.of(step).beyond(_size(run, before), cell.y, cell.x)
    name = map_name(before, source)
    made = ConvMade(
        scan=_scan(view, run, record, place, source),
        source_name=name,
        patch=_grid("patch", f"Patch of {name}", cell.patch[source], numbers, outside),
        kernel=_grid("kernel", f"Kernel for {name}", cell.kernel[source], numbers, ()),
        products=_grid("products", "Products", cell.products[source], numbers, outside),
        numbers=numbers,
        part=values[source],
        sums=sums,
        bias=cell.bias,
        outside=len(outside),
    )
    return "_conv.html", made, _conv_sentence(run, place, cell, sums)


def _conv_sentence(run: Run, place: CellPlace, cell: ConvCell, sums: tuple[Term, ...]) -> str:
    kh, kw = cell.kernel.shape[1:]
    return (
        f"{place_name(run, place)} is {number(cell.value)}: {len(sums)} input maps, {kh} by {kw} "
        f"products each, added up with the bias {number(cell.bias)}. {_largest(sums, cell.bias)}"
    )


def _largest(sums: tuple[Term, ...], bias: float) -> str:
    """The map with the largest part: “most” only where that outweighs all the rest together."""
    one = sums[0]
    if not one.value:
        return "Every map adds 0 here."
    rest = abs(bias) + sum(abs(other.value) for other in sums[1:])
    size = "Most" if abs(one.value) > rest else "The largest part"
    verb = "adds" if one.value > 0 else "takes away"
    return f"{size} comes from {one.name}, which {verb} {number(abs(one.value))}."


def pool_made(
    view: View, run: Run, record: StepRecord, place: CellPlace, cell: PoolCell
) -> tuple[str, PoolMade, str]:
    """The window, its largest value, and the maps before and after."""
    step, before = record.step, record.step.inputs[0]
    inside = (cell.winner[0] - cell.rows[0], cell.winner[1] - cell.columns[0])
    winner = CellPlace(before, place.channel, *cell.winner)
    made = PoolMade(
        scan=_scan(view, run, record, place, place.channel),
        window=grid("patch", "What the window sees", cell.numbers, marks={inside: "winner"}),
        winner=cell.winner,
        winner_url=place_url(view, run, winner, zoom="arithmetic"),
        ties=cell.ties,
        wins=cell.wins,
        shift=SHIFTS,
    )
    kh, kw = Window.of(step).kernel
    say = (
        f"{place_name(run, place)} is {number(cell.value)}: the largest of a window of {kh} by "
        f"{kw}, found at row {cell.winner[0]}, column {cell.winner[1]} of {before}."
    )
    return "_pool.html", made, say


def _scan(view: View, run: Run, record: StepRecord, place: CellPlace, source: int) -> Scan:
    step, before = record.step, record.step.inputs[0]
    model, window = run.model, Window.of(record.step)
    size = _size(run, before)
    conv = step.kind == "conv"
    every = conv and (before == INPUT or math.prod(model.geometry[before].shape) <= ALL_INPUTS)
    v = version(model.row)
    if before == INPUT:
        image, inputs = input_url(view, model), f"{view.run}/input.npy?normalised=true&v={v}"
    else:
        image = sheet_url(view, model, before, channels=str(source))
        one = "" if every else f"channel={source}&"
        inputs = f"{view.run}/steps/{quote(before)}.npy?{one}v={v}"
    kernel = f"{base()}{API}/models/{model.id}/steps/{quote(step.name)}/weight.npy"
    (top, left), (height, width) = window.start(place.y, place.x), window.extent
    rows, columns = model.geometry[step.name].shape[1:]
    return Scan(
        kind=step.kind,
        before=before,
        image=image,
        inputs=inputs,
        every=every,
        source=source,
        size=size,
        kernel=f"{kernel}?channel={place.channel}&v={v}" if conv else "",
        values=f"{view.run}/steps/{quote(step.name)}.npy?channel={place.channel}&v={v}",
        output=sheet_url(view, model, step.name, channels=str(place.channel)),
        shape=(rows, columns),
        window=json.dumps([window.kernel, window.stride, window.padding]),
        padding=window.padding,
        box=(left, top, width, height),
    )


def _size(run: Run, name: str) -> tuple[int, int]:
    """Rows and columns of the input map."""
    if name == INPUT:
        return (run.model.outline.input_size,) * 2
    _, rows, columns = run.model.geometry[name].shape
    return rows, columns


def _grid(
    name: str, caption: str, values: Tensor, numbers: bool, zeros: tuple[tuple[int, int], ...]
) -> Grid:
    text, unit = compact(float(values.abs().max())) if numbers else (lambda _: "", "")
    return grid(name, caption, values, zeros=zeros, text=text, unit=unit)
