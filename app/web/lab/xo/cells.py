"""The arithmetic of one number of a layer, and the input cells it was computed from."""

from __future__ import annotations

from torch import Tensor

from app.vision.tiny_network.network import Match, TinyOutput, largest_cell, match_cell, window_of
from app.web.lab.xo.contexts import CellView, PartView
from app.web.lab.xo.state import BoardCell
from app.web.lab.xo.words import (
    conv_equation,
    conv_words,
    map_name,
    plain,
    relu_words,
    where,
    writer,
)
from app.web.parts.number_grids import grid

Marks = dict[tuple[int, int, int], str]
"""CSS classes of input cells, by (map, row, column)."""


def placed(cell: BoardCell, outputs: tuple[TinyOutput, ...]) -> str:
    """Why there is no such number, with the valid range; "" if there is one."""
    if not outputs:
        return "There is no layer to choose a number from."
    if not 1 <= cell.layer <= len(outputs):
        return f"There is no layer {cell.layer} here: layers 1 to {len(outputs)} have numbers."
    maps, rows, columns = outputs[cell.layer - 1].values.shape
    if cell.map < maps and cell.y < rows and cell.x < columns:
        return ""
    return (
        f"Layer {cell.layer} has maps 0 to {maps - 1}, rows 0 to {rows - 1} and columns 0 to "
        f"{columns - 1}; map {cell.map}, row {cell.y}, column {cell.x} does not exist."
    )


def explain(
    output: TinyOutput, cell: BoardCell, kernels: Tensor, match: Match
) -> tuple[CellView, str, Marks]:
    """The arithmetic of a number, the same in a sentence, and the marked input cells."""
    place = cell.map, cell.y, cell.x
    at = where(output, place)
    text = writer(output.values)(float(output.values[place]))
    made_by = {"conv": _conv, "pool": _pool, "relu": _relu}[output.layer.kind]
    view, words, marks = made_by(output, place, kernels, match, at, text)
    return view, words, marks


def _conv(
    output: TinyOutput,
    place: tuple[int, int, int],
    kernels: Tensor,
    match: Match,
    at: str,
    text: str,
) -> tuple[CellView, str, Marks]:
    made = match_cell(output, kernels, place)
    maps, rows, columns = output.before.shape
    inside = [(y, x) for y in made.rows for x in made.columns if 0 <= y < rows and 0 <= x < columns]
    outside = window_of(output.layer).beyond((rows, columns), made.y, made.x)
    write, products = writer(output.before), writer(made.products)
    parts = tuple(
        PartView(
            map_name(i, maps, kernels),
            grid(f"patch-{i}", f"Patch {i}", made.patch[i], zeros=outside, text=write),
            grid(f"factor-{i}", f"Feature {i}", made.kernel[i], text=plain),
            grid(
                f"terms-{i}",
                f"Products {i}",
                made.products[i],
                zeros=outside,
                text=products,
            ),
            plain(float(made.terms[i])),
        )
        for i in range(maps)
    )
    view = CellView(
        f"{at} = {text}",
        parts,
        equation=conv_equation(output, made, match, text),
        note=f"{len(outside)} cells of the window lie in the padding and count 0."
        if outside
        else "",
    )
    marks = {(m, y, x): "window" for m in range(maps) for y, x in inside}
    return view, conv_words(output, made, match, at, text), marks


def _pool(
    output: TinyOutput,
    place: tuple[int, int, int],
    kernels: Tensor,
    match: Match,
    at: str,
    text: str,
) -> tuple[CellView, str, Marks]:
    made = largest_cell(output, place)
    _, rows, columns = output.before.shape
    values = made.numbers
    won = made.winner[0] - made.rows[0], made.winner[1] - made.columns[0]
    count = sum(v is not None for row in values for v in row)
    write = writer(output.before)
    shown = [write(v) for row in values for v in row if v is not None]
    marks = {
        (place[0], y, x): "winner" if (y, x) == made.winner else "window"
        for y in made.rows
        for x in made.columns
        if y < rows and x < columns
    }
    view = CellView(
        f"{at} = {text}",
        window=grid("patch-0", "What the window sees", values, marks={won: "winner"}, text=write),
        equation=f"max({', '.join(shown)}) = {text}",
        note=_pool_note(count, made.ties),
    )
    numbers = "the only number" if count == 1 else f"the largest of the {count} numbers"
    return view, f"{at} is {text}: {numbers} in its window.", marks


def _pool_note(count: int, ties: int) -> str:
    notes = []
    if count < 4:
        notes.append("The last window reaches beyond the map and is only partly filled.")
    if ties > 1:
        notes.append(f"{ties} numbers are equally large; the first is marked.")
    return " ".join(notes)


def _relu(
    output: TinyOutput,
    place: tuple[int, int, int],
    kernels: Tensor,
    match: Match,
    at: str,
    text: str,
) -> tuple[CellView, str, Marks]:
    before = writer(output.before)(float(output.before[place]))
    view = CellView(f"{at} = {text}", equation=f"max(0, {before}) = {text}")
    return view, relu_words(at, before, text), {place: "window"}
