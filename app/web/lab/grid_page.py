"""Context of the grid's page: the window's numbers, the results, how often each cell is read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from app.vision.preset_kernels import PRESET_KERNELS
from app.web.lab.grid_view import (  # fmt: skip
    CLASSROOM,
    CROSS,
    KERNELS,
    POOLS,
    SIDES,
    GridResult,
    GridView,
    work,
)
from app.web.lab.lab_query import ascii_number, exact
from app.web.lab.row_view import DILATIONS, PADDINGS, STRIDES
from app.web.lab.setting_fields import Setting, setting
from app.web.lab.words import difference, length_formula, spoken, written
from app.web.parts.contexts import helped
from app.web.parts.number_grids import Grid, grid


@dataclass(frozen=True, slots=True)
class GridPreset:
    """An example input or kernel."""

    title: str
    url: str
    shown: bool


@dataclass(frozen=True, slots=True)
class NumberBoard:
    """A map with cells that can be pinned."""

    grid: Grid
    urls: tuple[tuple[str, ...], ...]  # the page of each pinned cell
    cell: tuple[int, int]  # the pinned one: row and column


@dataclass(frozen=True, slots=True)
class Pooling:
    """ReLU and max pooling of the result."""

    rectified: Grid  # the result after ReLU; the window and its largest value are marked
    board: NumberBoard | None  # the pooled map; None if the window does not fit
    sentence: str  # the pinned window in words: its largest, ties, how often it wins
    overlap: str  # whether windows overlap, or why none fits


@dataclass(frozen=True, slots=True)
class GridLab:
    """Context of the grid's templates."""

    view: GridView = helped("What is on screen.")
    problem: str = helped("Why the input is invalid, in a sentence; else empty.")
    swap: str = helped("How htmx updates the form with the results; empty for the whole page.")
    say: str = helped("The pinned cell in one sentence, for screen readers.")
    fields: Grid = helped("The picture, to be edited.")
    kernel_fields: Grid = helped("The kernel, to be edited.")
    pictures: tuple[GridPreset, ...] = helped("Example inputs.")
    kernels: tuple[GridPreset, ...] = helped("Example kernels.")
    settings: tuple[Setting, ...] = helped("Settings of the convolution.")
    pool_settings: tuple[Setting, ...] = helped("Settings of the pooling.")
    picture: Grid = helped("The picture with its padding and the window.")
    kernel: Grid = helped("The kernel as it is applied.")
    products: Grid = helped("Number times weight under the window.")
    result: NumberBoard = helped("The sums or averages.")
    sum: str = helped("The sum of the pinned cell, as an equation.")
    formula: str = helped("Number of output rows and columns, with numbers inserted.")
    general: str = helped("The same by the general formula, if the short one is shown.")
    difference: str = helped("The difference between sum and average.")
    coverage: Grid = helped("How many windows read each cell of the picture.")
    coverage_words: str = helped("Which cells are read most and least.")
    pooling: Pooling = helped("ReLU and pooling of the result.")
    moves: dict[str, str] = helped("The page for each arrow key and button, or empty.")
    query: str = helped("The view as a query string, for its files.")


def lab(view: GridView, problem: str = "", swap: str = "") -> GridLab:
    """The context of the grid's page."""
    worked = work(view)
    plain = length_formula(view.window, view.side, 0)
    general = length_formula(view.window, view.side, 0, whole=True)
    coverage, words = _coverage(view)
    return GridLab(
        view, problem, swap,
        f"Row {view.y}, column {view.x}: {spoken(worked.pairs, worked.value, worked.cells)}",
        grid("picture", "The picture", _rows(view.picture), text=ascii_number, edit="picture"),
        grid("kernel", "The kernel", _rows(view.kernel), text=ascii_number, edit="kernel"),
        _pictures(view), _kernels(view), _settings(view), _pool_settings(view),
        _padded(worked),
        grid("kernel", "The kernel", worked.cell.kernel[0], text=exact),
        grid("products", "The products", worked.cell.products[0], text=exact),
        _result(worked),
        written(worked.pairs, worked.value, worked.cells),
        plain, general if general != plain else "",
        difference(view.mode, len(view.kernel)),
        coverage, words, _pooling(worked), _moves(view), view.query(),
    )  # fmt: skip


def _rows(values: tuple[float, ...]) -> list[list[float]]:
    side = math.isqrt(len(values))
    return [list(values[i * side : (i + 1) * side]) for i in range(side)]


def _padded(result: GridResult) -> Grid:
    """The padded picture, with the zeros under the window marked."""
    view, p = result.view, result.view.padding
    size = view.side + 2 * p
    inside = range(p, p + view.side)
    values = [[0.0] * size for _ in range(size)]
    for y, row in enumerate(result.inputs.tolist()):
        values[y + p][p : p + view.side] = row
    return grid(
        "padded",
        "The picture with its padding, the window marked",
        values,
        marks={(y + p, x + p): "window" for y in result.cell.rows for x in result.cell.columns},
        zeros={
            (y, x) for y in range(size) for x in range(size) if y not in inside or x not in inside
        },
        text=exact,
    )


def _result(result: GridResult) -> NumberBoard:
    view = result.view
    here = (view.y, view.x)
    name = "The result" if view.mode == "sum" else "The averages"
    cells = grid("result", name, result.values, marks={here: "here"}, text=result.text)
    urls = tuple(tuple(view.url(y=y, x=x) for x in range(view.out)) for y in range(view.out))
    return NumberBoard(cells, urls, here)


def _coverage(view: GridView) -> tuple[Grid, str]:
    counts = view.window.coverage((view.side, view.side))
    least, most = int(counts.min()), int(counts.max())
    if least == most:
        words = f"Every cell is read {_times(most)}: all count the same."
    else:
        words = f"At most {_times(most)}, at least {_times(least)}"
        words += f": {_uneven(counts)}."
    return grid("coverage", "How often each cell is read", counts.double(), text=exact), words


def _uneven(counts: Tensor) -> str:
    """Where the cells are that are read least: only at the border, or inside too."""
    if missed := int((counts == 0).sum()):
        return f"{missed} cells are never read" if missed > 1 else "1 cell is never read"
    inside = counts[1:-1, 1:-1]
    if inside.numel() and int(inside.min()) == int(counts.min()):
        return "some inside as seldom as the border"
    return "borders count less"


def _pooling(result: GridResult) -> Pooling:
    view, cell = result.view, result.pool_cell
    if cell is None or result.pooled is None:
        plain = grid("relu", "After ReLU", result.rectified, text=result.text)
        misfit = view.pooling.misfit((view.out, view.out)).replace("the picture", "the result")
        return Pooling(plain, None, "", misfit)
    marks = {(y, x): "window" for y in cell.rows for x in cell.columns}
    marks[cell.winner] = "winner"
    here = (view.py, view.px)
    pooled = grid("pooled", "The pooled map", result.pooled, marks={here: "here"}, text=result.text)
    count = range(view.pooled)
    urls = tuple(tuple(view.url(py=y, px=x) for x in count) for y in count)
    shared = view.pool - view.pool_stride
    overlap = (
        f"Neighbouring windows share {shared} of their {view.pool} columns: they overlap."
        if shared > 0
        else "Windows do not overlap."
    )
    numbers = ", ".join(result.text(value) for value in cell.patch.flatten().tolist())
    ties = (
        f", there {_times(cell.ties)}: a tie, and the first in reading order counts"
        if cell.ties > 1
        else ""
    )
    wins = f" It is the largest of {cell.wins} windows." if cell.wins > 1 else ""
    return Pooling(
        grid("relu", "After ReLU", result.rectified, marks=marks, text=result.text),
        NumberBoard(pooled, urls, here),
        f"Row {view.py}, column {view.px}: the largest of {numbers} is "
        f"{result.text(cell.value)}{ties}, "
        f"found at row {cell.winner[0]}, column {cell.winner[1]}.{wins}",
        overlap,
    )


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _moves(view: GridView) -> dict[str, str]:
    """The pages of keys and buttons; empty beyond the edge."""
    last, at = view.out - 1, view.y * view.out + view.x
    places = {
        "ArrowLeft": (view.y, view.x - 1),
        "ArrowRight": (view.y, view.x + 1),
        "ArrowUp": (view.y - 1, view.x),
        "ArrowDown": (view.y + 1, view.x),
        "back": divmod(at - 1, view.out),
        "next": divmod(at + 1, view.out),
        "first": (0, 0),
    }
    return {
        key: view.url(y=y, x=x) if 0 <= y <= last and 0 <= x <= last else ""
        for key, (y, x) in places.items()
    }


def _settings(view: GridView) -> tuple[Setting, ...]:
    return (
        setting("side", "Picture’s side", "", SIDES, view.side),
        setting("size", "Kernel’s side", "", KERNELS, view.kernel_side),
        setting("stride", "Stride", "", STRIDES, view.stride),
        setting("dilation", "Dilation", "", DILATIONS, view.dilation),
        setting("padding", "Zero padding", "", PADDINGS, view.padding),
    )


def _pool_settings(view: GridView) -> tuple[Setting, ...]:
    return (
        setting("pool", "Pooling window", "", POOLS, view.pool),
        setting("pool_stride", "Pooling stride", "", POOLS, view.pool_stride),
    )


def _kernels(view: GridView) -> tuple[GridPreset, ...]:
    """Integers only; the blur is a kernel of ones with the average mode."""
    start = [("Cross", CROSS, "sum")]
    start += [
        (one.title, one.numbers, "sum" if one.by == 1 else "average")
        for one in PRESET_KERNELS
        if one.by in (1, 9)
    ]
    return tuple(
        GridPreset(
            title,
            view.url(kernel=numbers, mode=mode, turn=False, y=0, x=0, py=0, px=0),
            (view.kernel, view.mode) == (numbers, mode),
        )
        for title, numbers, mode in start
    )


def _pictures(view: GridView) -> tuple[GridPreset, ...]:
    n = view.side
    start: dict[str, tuple[float, ...]] = {
        "Classroom": CLASSROOM,
        "Edge": tuple(float(x >= n // 2) for _ in range(n) for x in range(n)),
        "Dot": tuple(float(y == x == n // 2) for y in range(n) for x in range(n)),
        "Counting": tuple(float(i) for i in range(n * n)),
    }
    home = {"y": 0, "x": 0, "py": 0, "px": 0}
    return tuple(
        GridPreset(title, view.url(picture=values, **home), view.picture == values)
        for title, values in start.items()
    )
