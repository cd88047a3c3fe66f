"""The arithmetic of elementwise steps and the mean: ReLU, normalisation, concat, flatten."""

from __future__ import annotations

from urllib.parse import quote

from app.services.runs.run import Run, StepRecord
from app.services.runs.sheets import version
from app.vision.arithmetic.chain import CellPlace
from app.vision.arithmetic.pointwise import CopyCell, NormCell, ReluCell
from app.vision.arithmetic.pooling import MeanCell
from app.web.core.links import View, sheet_url
from app.web.core.templating import exact, number, percent
from app.web.explorer.arithmetic.contexts import FormulaMade, ReluMade
from app.web.parts.unit_names import place_name, place_url


def relu_made(
    view: View, run: Run, record: StepRecord, place: CellPlace, cell: ReluCell
) -> tuple[str, ReluMade, str]:
    """The input number, the part below zero, the share of zeros."""
    before = record.step.inputs[0]
    given = CellPlace(before, place.channel, place.y, place.x)
    maps: tuple[tuple[str, str], ...] = ()
    if run.spatial(record.step.name):
        cut = f"{view.run}/steps/{quote(record.step.name)}/cut.png?channel={place.channel}"
        maps = (
            ("Before", _map(view, run, before, place.channel)),
            ("After", _map(view, run, record.step.name, place.channel)),
            ("Cut away", f"{cut}&v={version(run.model.row)}"),
        )
    made = ReluMade(
        given=cell.given,
        given_url=place_url(view, run, given, zoom="arithmetic"),
        cut=cell.cut,
        zeros=cell.zeros,
        count=cell.count,
        layer=cell.layer_zeros,
        maps=maps,
        shape=_shape(run, record),
    )
    what = (
        f"{number(cell.given)} is below zero and becomes zero"
        if cell.given < 0
        else f"{number(cell.given)} is not below zero and stays as it is"
    )
    return (
        "_relu.html",
        made,
        (
            f"{place_name(run, place)}: {what}. {percent(cell.layer_zeros)} of the whole step is "
            "zero."
        ),
    )


def norm_made(
    view: View, run: Run, record: StepRecord, place: CellPlace, cell: NormCell
) -> tuple[str, FormulaMade, str]:
    """Batch normalisation, number by number."""
    before = CellPlace(record.step.inputs[0], place.channel, place.y, place.x)
    centred = cell.given - cell.mean
    lines = (
        ("given", exact(cell.given)),
        (f"− mean {exact(cell.mean)}", exact(centred)),
        (
            f"÷ spread √({exact(cell.variance)} + {cell.epsilon:g}) = {exact(cell.spread)}",
            exact(centred / cell.spread),
        ),
        (f"× scale {exact(cell.scale)}", exact(cell.scale * centred / cell.spread)),
        (f"+ shift {exact(cell.shift)}", exact(cell.total)),
    )
    made = FormulaMade(
        lines,
        _before_after(view, run, record, place),
        _shape(run, record),
        place_url(view, run, before, zoom="arithmetic"),
        place_name(run, before),
    )
    return (
        "_formula.html",
        made,
        (
            f"{place_name(run, place)} is {number(cell.value)}: {number(cell.given)}, shifted and "
            "stretched by what training found for this map."
        ),
    )


def copy_made(
    view: View, run: Run, record: StepRecord, place: CellPlace, cell: CopyCell
) -> tuple[str, FormulaMade, str]:
    """A number that is copied unchanged, and its source."""
    source = CellPlace(cell.source, cell.channel, cell.y, cell.x)
    name = place_name(run, source)
    if record.step.kind == "flatten":
        _, height, width = run.model.geometry[cell.source].shape
        sum_ = f"({cell.channel} · {height} + {cell.y}) · {width} + {cell.x}"
        lines = ((f"number {sum_}", str(place.channel)), ("its value", exact(cell.value)))
    else:
        inputs = record.step.inputs
        order = " then ".join(inputs)
        lines = (
            (f"maps of {order}", str(run.model.geometry[record.step.name].shape[0])),
            (f"map {place.channel} here is map {cell.channel} of {cell.source}", exact(cell.value)),
        )
    url = place_url(view, run, source, zoom="arithmetic")
    made = FormulaMade(lines, (), (1, 1), url, name)
    return (
        "_formula.html",
        made,
        (f"{place_name(run, place)} is {number(cell.value)}, copied unchanged from {name}."),
    )


def mean_made(
    view: View, run: Run, record: StepRecord, place: CellPlace, cell: MeanCell
) -> tuple[str, FormulaMade, str]:
    """Average pooling: the mean of a whole map."""
    before = record.step.inputs[0]
    total = float(cell.grid.sum())
    lines = (
        (f"sum of {cell.count} cells of {before} · {place.channel}", exact(total)),
        (f"÷ {cell.count}", exact(cell.total)),
    )
    strongest = divmod(int(cell.grid.argmax()), cell.grid.shape[1])
    source = CellPlace(before, place.channel, *strongest)
    maps = (("The map", _map(view, run, before, place.channel)),)
    rows, columns = cell.grid.shape
    made = FormulaMade(
        lines,
        maps,
        (rows, columns),
        place_url(view, run, source, zoom="arithmetic"),
        f"its strongest cell, {place_name(run, source)}",
    )
    return (
        "_formula.html",
        made,
        (
            f"{place_name(run, place)} is {number(cell.value)}: the mean of all {cell.count} cells "
            f"of {before}, map {place.channel}."
        ),
    )


def _before_after(
    view: View, run: Run, record: StepRecord, place: CellPlace
) -> tuple[tuple[str, str], ...]:
    before = record.step.inputs[0]
    return (
        ("Before", _map(view, run, before, place.channel)),
        ("After", _map(view, run, record.step.name, place.channel)),
    )


def _map(view: View, run: Run, step: str, channel: int) -> str:
    return sheet_url(view, run.model, step, channels=str(channel))


def _shape(run: Run, record: StepRecord) -> tuple[int, int]:
    shape = run.model.geometry[record.step.name].shape
    return (shape[1], shape[2]) if len(shape) == 3 else (1, 1)
