"""Lab tool: 2-D convolution on a grid of numbers, then ReLU and max pooling."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import Response
from torch import Tensor

from app.errors import BadRequest
from app.pictures.tables import Block, tables_png
from app.web.core.file_responses import csv_response, file_response
from app.web.lab.grid_page import lab
from app.web.lab.grid_view import PLAIN, GridResult, GridView, placed, read, work
from app.web.lab.lab_query import LabQuery, exact
from app.web.lab.tool_responses import is_form, objection, swap_of, tool_response
from app.web.lab.tools import is_part
from app.web.lab.words import length_formula

router = APIRouter()


@router.get("/grid")
async def grid_tool(request: Request) -> Response:
    """The page, or what htmx requests; for invalid numbers a sentence that explains the limits."""
    asked = LabQuery(request.query_params)
    problem = ""
    try:
        view = read(asked)
    except BadRequest as error:
        if is_part(request):
            return objection(request, error.detail)
        view, problem, asked = PLAIN, error.detail, LabQuery(request.query_params.__class__())
    try:
        view = placed(asked, view)
    except BadRequest as error:
        # A form's cell may belong to a result of another size.
        problem = "" if is_form(request) else error.detail
        view = clamped(asked, view) if is_form(request) else view
    return tool_response(request, "grid", lab(view, problem, swap_of(request)), view.query())


def clamped(query: LabQuery, view: GridView) -> GridView:
    """The view with each cell of the request, moved inside the map; by default the first cell."""

    def near(name: str, count: int) -> int:
        try:
            return min(query.whole(name, 0, 0, 99, name), max(0, count - 1))
        except BadRequest:
            return 0

    y, x = near("y", view.out), near("x", view.out)
    return view.changed(y=y, x=x, py=near("py", view.pooled), px=near("px", view.pooled))


@router.get("/grid.png")
async def grid_png(request: Request) -> Response:
    """Input, kernel, the window's numbers and the results, as a picture."""
    asked = LabQuery(request.query_params)
    worked = work(placed(asked, read(asked)))
    return file_response(drawn(worked), "image/png", False, "layerscope-grid.png")


@router.get("/grid.csv")
async def grid_csv(request: Request) -> Response:
    """A line for each number of each map."""
    asked = LabQuery(request.query_params)
    worked = work(placed(asked, read(asked)))
    return csv_response(["map", "row", "column", "value"], lines(worked), "layerscope-grid.csv")


def maps(result: GridResult) -> Iterator[tuple[str, Tensor]]:
    """Every map of a view, by name."""
    yield "picture", result.inputs
    yield "kernel", result.cell.kernel[0]
    yield "result", result.values
    yield "times read", result.view.window.coverage((result.view.side, result.view.side))
    yield "after ReLU", result.rectified
    if result.pooled is not None:
        yield "pooled", result.pooled


def lines(result: GridResult) -> Iterator[tuple[str, int, int, float]]:
    """The rows of the table."""
    for name, values in maps(result):
        for y, row in enumerate(values.tolist()):
            for x, value in enumerate(row):
                yield name, y, x, value


def drawn(result: GridResult) -> bytes:
    """The view as a PNG."""
    view, shown = result.view, lab(result.view)
    named = dict(maps(result))
    at = f"at row {view.y}, column {view.x}"
    parts = [
        ("Picture", named["picture"], exact),
        ("Kernel, turned round" if view.turn else "Kernel", named["kernel"], exact),
        (f"Products {at}", result.cell.products[0], exact),
        (f"Result ({view.mode}s)", named["result"], result.text),
        ("After ReLU", named["after ReLU"], result.text),
        (f"Pooled, {view.pool}×{view.pool}, stride {view.pool_stride}", result.pooled, result.text),
        ("How often each cell is read", named["times read"], exact),
    ]
    blocks = [Block(t, v.tolist(), text=text) for t, v, text in parts if v is not None]
    title = f"Convolution on a grid: {length_formula(view.window, view.side, 0)}"
    return tables_png(title, blocks, shown.sum)
