"""Lab tool: 1-D convolution, a kernel that slides along a row of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import BadRequest
from app.pictures.tables import Block, tables_png
from app.web.core.file_responses import csv_response, file_response
from app.web.lab.lab_query import LabQuery, ascii_number, exact, hundredths
from app.web.lab.row_view import DILATIONS, PADDINGS, PLAIN, STRIDES, RowResult, RowView, read, work
from app.web.lab.setting_fields import Setting, setting
from app.web.lab.tool_responses import is_form, objection, swap_of, tool_response
from app.web.lab.tools import is_part
from app.web.lab.words import difference, length_formula, spoken, written
from app.web.parts.contexts import helped
from app.web.parts.number_grids import Grid, grid

router = APIRouter()


@router.get("/row")
async def row(request: Request) -> Response:
    """The page, or what htmx requests; for invalid numbers a sentence that explains the limits."""
    asked = LabQuery(request.query_params)
    problem = ""
    try:
        view = read(asked)
    except BadRequest as error:
        if is_part(request):
            return objection(request, error.detail)
        view, problem = PLAIN, error.detail
    try:
        view = view.changed(at=position(asked, view))
    except BadRequest as error:
        # A form's position may belong to a result of another length.
        view = view.changed(at=view.count if is_form(request) else 1)
        problem = problem or ("" if is_form(request) else error.detail)
    return tool_response(request, "row", lab(view, problem, swap_of(request)), view.query())


@router.get("/row.png")
async def row_png(request: Request) -> Response:
    """The row, its kernel, the position on screen and the result, as a picture."""
    worked = work(placed(LabQuery(request.query_params)))
    return file_response(drawn(worked), "image/png", False, "layerscope-row.png")


@router.get("/row.csv")
async def row_csv(request: Request) -> Response:
    """A line for each position: numbers, weights, products, their sum and average."""
    worked = work(placed(LabQuery(request.query_params)))
    count = len(worked.view.kernel)
    head = ["position", "first cell"]
    head += [f"{name}{i + 1}" for name in ("number ", "weight ", "product ") for i in range(count)]
    return csv_response([*head, "sum", "average"], lines(worked), "layerscope-row.csv")


def position(query: LabQuery, view: RowView) -> int:
    """The position of the window. Raises `BadRequest` for an invalid one."""
    return query.whole("at", 1, 1, view.count, "The position", f"1 to {view.count}")


def placed(query: LabQuery) -> RowView:
    """The view of a request with its position. Raises `BadRequest`."""
    view = read(query)
    return view.changed(at=position(query, view))


@dataclass(frozen=True, slots=True)
class Spot:
    """One number of the result."""

    text: str
    heat: str  # its colour class
    url: str  # the page with the window there
    here: bool  # whether the window is there
    label: str  # its place, in words


@dataclass(frozen=True, slots=True)
class Strip:
    """The padded row, the kernel, the products and the results, column by column."""

    row: Grid  # the numbers, with the padding
    kernel: Grid  # at the current position; empty elsewhere
    products: Grid  # under the window; empty elsewhere
    result: tuple[Spot | None, ...]  # each below its window's first cell


@dataclass(frozen=True, slots=True)
class RowLab:
    """Context of the row's templates."""

    view: RowView = helped("What is on screen.")
    problem: str = helped("Why the input is invalid, in a sentence; else empty.")
    swap: str = helped("How htmx updates the form with the results; empty for the whole page.")
    say: str = helped("The current position in one sentence, for screen readers.")
    row: Grid = helped("The row, to be edited.")
    kernel: Grid = helped("The kernel, to be edited.")
    settings: tuple[Setting, ...] = helped("The other settings.")
    strip: Strip = helped("The row with the window on it.")
    count: int = helped("Positions of the window.")
    sum: str = helped("The sum at the position, as an equation.")
    formula: str = helped("The length of the result, with numbers inserted.")
    general: str = helped("The same by the general formula, if the short one is shown.")
    difference: str = helped("The difference between sum and average.")
    moves: dict[str, str] = helped("The page for each arrow key and button, or empty.")
    query: str = helped("The view as a query string, for its files.")


def lab(view: RowView, problem: str = "", swap: str = "") -> RowLab:
    """The context of the row's page."""
    worked = work(view)
    pairs, value = worked.pairs(view.at), worked.values[view.at - 1].item()
    plain = length_formula(view.window, len(view.row), 1)
    general = length_formula(view.window, len(view.row), 1, whole=True)
    return RowLab(
        view,
        problem,
        swap,
        f"Position {view.at} of {view.count}: {spoken(pairs, value, worked.cells)}",
        _fields("row", "The row", view.row),
        _fields("kernel", "The kernel", view.kernel),
        settings(view),
        strip(worked),
        view.count,
        written(pairs, value, worked.cells),
        plain,
        general if general != plain else "",
        difference(view.mode, len(view.kernel)),
        _moves(view),
        view.query(),
    )


def settings(view: RowView) -> tuple[Setting, ...]:
    """The settings of a row."""
    return (
        setting("stride", "Stride", "cells from one position to the next", STRIDES, view.stride),
        setting("padding", "Zero padding", "zeros on either side", PADDINGS, view.padding),
        setting("dilation", "Dilation", "cells from weight to weight", DILATIONS, view.dilation),
    )


def _moves(view: RowView) -> dict[str, str]:
    onward = view.url(at=view.at + 1) if view.at < view.count else ""
    return {
        "ArrowLeft": view.url(at=view.at - 1) if view.at > 1 else "",
        "ArrowRight": onward,
        "next": onward,
        "first": view.url(at=1),
    }


def strip(result: RowResult) -> Strip:
    """The lines of the drawing, each as long as the padded row."""
    view, place = result.view, result.places[result.view.at - 1]
    pad, length = view.padding, len(view.row) + 2 * view.padding
    under = {column + pad: i for i, column in enumerate(place.columns)}
    marks = {(0, column): "window" for column in under}
    weights, products = place.kernel[0, 0].tolist(), place.products[0, 0].tolist()
    return Strip(
        grid(
            "row",
            "The row with its padding",
            [[0.0] * pad + list(view.row) + [0.0] * pad],
            marks=marks,
            zeros=[(0, i) for i in range(length) if not pad <= i < pad + len(view.row)],
            text=exact,
        ),
        _line("kernel", "The kernel on the row", under, weights, length),
        _line("products", "Products under the window", under, products, length),
        _results(result, length),
    )


def _line(name: str, caption: str, under: dict[int, int], values: list[float], length: int) -> Grid:
    line = [values[under[i]] if i in under else None for i in range(length)]
    return grid(name, caption, [line], text=exact)


def _results(result: RowResult, length: int) -> tuple[Spot | None, ...]:
    view = result.view
    text = hundredths if view.mode == "average" else exact
    cells = grid("result", "The result", result.values[None], text=text).rows[0]
    spots: list[Spot | None] = [None] * max(length, 1)
    for i, cell in enumerate(cells):
        at = i + 1
        label = f"Position {at} of {len(cells)}"
        spots[i * view.stride] = Spot(cell.text, cell.heat, view.url(at=at), at == view.at, label)
    return tuple(spots)


def _fields(name: str, caption: str, values: tuple[float, ...]) -> Grid:
    return grid(name, caption, [list(values)], text=ascii_number, edit=name)


def lines(result: RowResult) -> Iterator[list[float]]:
    """The table's rows, one for each position; the first cell is 0, padding is negative."""
    for i, place in enumerate(result.places):
        numbers = [place.patch, place.kernel, place.products]
        flat = [value for part in numbers for value in part[0, 0].tolist()]
        yield [i + 1, place.columns[0], *flat, place.total, place.total / len(result.view.kernel)]


def drawn(result: RowResult) -> bytes:
    """The position on screen as a PNG."""
    view, shown = result.view, lab(result.view)
    place = result.places[view.at - 1]
    title = f"Convolution in a row: {shown.formula}"
    kernel = "Kernel, turned round" if view.turn else "Kernel"
    text = hundredths if view.mode == "average" else exact
    blocks = [
        Block("Row", [list(view.row)], text=exact),
        Block(kernel, place.kernel[0].tolist(), text=exact),
        Block(f"Under the window, position {view.at}", place.patch[0].tolist(), text=exact),
        Block("Products", place.products[0].tolist(), text=exact),
        Block(f"Result ({view.mode}s)", [result.values.tolist()], text=text),
    ]
    return tables_png(title, blocks, shown.sum)
