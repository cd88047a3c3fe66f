"""What the page of the grid shows: the window's numbers, the results, who has how much of a say."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.vision.kernels import CLASSIC_KERNELS
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
    """Numbers to start from."""

    title: str = helped("What they are called.")
    url: str = helped("The page with them.")
    shown: bool = helped("Whether they are on screen.")


@dataclass(frozen=True, slots=True)
class NumberBoard:
    """A map whose cells can be pinned."""

    grid: Grid = helped("Its numbers.")
    urls: tuple[tuple[str, ...], ...] = helped("The page with each cell pinned.")
    cell: tuple[int, int] = helped("The pinned one, row and column.")


@dataclass(frozen=True, slots=True)
class Pooling:
    """ReLU and max pooling of the result."""

    rectified: Grid = helped("The result after ReLU, the window and its winner marked.")
    board: NumberBoard | None = helped("The pooled map; None where the window does not fit.")
    sentence: str = helped("The pinned window in words: its largest, ties, how often it wins.")
    overlap: str = helped("Whether windows overlap, or why none fits.")


@dataclass(frozen=True, slots=True)
class GridLab:
    """What the templates of the grid are given."""

    view: GridView = helped("What is on screen.")
    problem: str = helped("What does not fit, in a sentence; else empty.")
    swap: str = helped("How htmx changes the form with the results; empty for the whole page.")
    say: str = helped("The pinned cell in one spoken sentence.")
    fields: Grid = helped("The picture, to be edited.")
    kernel_fields: Grid = helped("The kernel, to be edited.")
    pictures: tuple[GridPreset, ...] = helped("Pictures to start from.")
    kernels: tuple[GridPreset, ...] = helped("Kernels to start from.")
    settings: tuple[Setting, ...] = helped("What can be set for the window.")
    pool_settings: tuple[Setting, ...] = helped("What can be set for the pooling.")
    picture: Grid = helped("The picture with its padding and the window.")
    kernel: Grid = helped("The kernel as it slides.")
    products: Grid = helped("Number times weight under the window.")
    result: NumberBoard = helped("The sums or averages.")
    sum: str = helped("The sum of the pinned cell, written out.")
    formula: str = helped("How many rows and columns come out, numbers put in.")
    general: str = helped("The same by the general formula, where the short one is shown.")
    difference: str = helped("What sum and average have to do with each other.")
    coverage: Grid = helped("How many windows read each cell of the picture.")
    coverage_words: str = helped("Who is read most and least.")
    pooling: Pooling = helped("What follows: ReLU and pooling.")
    moves: dict[str, str] = helped("Pages by key: where arrows, back and on lead, else empty.")
    query: str = helped("The view as a query string, for files.")


def lab(view: GridView, problem: str = "", swap: str = "") -> GridLab:
    """Everything that the grid's page shows."""
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


def _padded(worked: GridResult) -> Grid:
    """The picture within its zeros, those under the window marked."""
    view, p = worked.view, worked.view.padding
    size = view.side + 2 * p
    inside = range(p, p + view.side)
    values = [[0.0] * size for _ in range(size)]
    for y, row in enumerate(worked.inputs.tolist()):
        values[y + p][p : p + view.side] = row
    return grid(
        "padded",
        "The picture with its padding, the window marked",
        values,
        marks={(y + p, x + p): "window" for y in worked.cell.rows for x in worked.cell.columns},
        zeros={
            (y, x) for y in range(size) for x in range(size) if y not in inside or x not in inside
        },
        text=exact,
    )


def _result(worked: GridResult) -> NumberBoard:
    view = worked.view
    here = (view.y, view.x)
    name = "The result" if view.mode == "sum" else "The averages"
    cells = grid("result", name, worked.values, marks={here: "here"}, text=worked.text)
    urls = tuple(tuple(view.url(y=y, x=x) for x in range(view.out)) for y in range(view.out))
    return NumberBoard(cells, urls, here)


def _coverage(view: GridView) -> tuple[Grid, str]:
    counts = view.window.coverage((view.side, view.side))
    least, most = int(counts.min()), int(counts.max())
    if least == most:
        words = f"Every cell is read {_times(most)}: all have the same say."
    else:
        words = f"The most is {_times(most)}, the least {_times(least)}"
        missed = int((counts == 0).sum())
        words += f": {missed} cells are never read." if missed else ": borders have less of a say."
    return grid("coverage", "How often each cell is read", counts.double(), text=exact), words


def _pooling(worked: GridResult) -> Pooling:
    view, cell = worked.view, worked.pool_cell
    if cell is None or worked.pooled is None:
        plain = grid("relu", "After ReLU", worked.rectified, text=worked.text)
        misfit = view.pooling.misfit((view.out, view.out)).replace("the picture", "the result")
        return Pooling(plain, None, "", misfit)
    marks = {(y, x): "window" for y in cell.rows for x in cell.columns}
    marks[cell.winner] = "winner"
    here = (view.py, view.px)
    pooled = grid("pooled", "The pooled map", worked.pooled, marks={here: "here"}, text=worked.text)
    count = range(view.pooled)
    urls = tuple(tuple(view.url(py=y, px=x) for x in count) for y in count)
    shared = view.pool - view.pool_stride
    overlap = (
        f"Neighbouring windows share {shared} of their {view.pool} columns: they overlap."
        if shared > 0
        else "Windows do not overlap."
    )
    numbers = ", ".join(worked.text(value) for value in cell.patch.flatten().tolist())
    ties = (
        f", there {_times(cell.ties)}: a tie, and the first in reading order counts"
        if cell.ties > 1
        else ""
    )
    wins = f" It is the largest of {cell.wins} windows." if cell.wins > 1 else ""
    return Pooling(
        grid("relu", "After ReLU", worked.rectified, marks=marks, text=worked.text),
        NumberBoard(pooled, urls, here),
        f"Row {view.py}, column {view.px}: the largest of {numbers} is "
        f"{worked.text(cell.value)}{ties}, "
        f"found at row {cell.winner[0]}, column {cell.winner[1]}.{wins}",
        overlap,
    )


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _moves(view: GridView) -> dict[str, str]:
    """Where keys and buttons lead; nowhere beyond the edge."""
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
    """Whole numbers; the blur is a kernel of ones with the average taken."""
    start = [("Cross", CROSS, "sum")]
    start += [
        (one.title, one.numbers, "sum" if one.by == 1 else "average")
        for one in CLASSIC_KERNELS
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
