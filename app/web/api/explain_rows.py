"""The terms of a cell as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.vision.arithmetic.convolution import ConvCell
from app.vision.arithmetic.explain import Cell
from app.vision.arithmetic.pointwise import CopyCell, NormCell, ReluCell
from app.vision.arithmetic.pooling import MeanCell, PoolCell
from app.vision.arithmetic.voting import ShareCell, VoteCell

Table = tuple[Sequence[str], Iterable[Sequence[object]]]


def term_rows(cell: Cell) -> Table:
    """The header and rows: a line for each input number."""
    match cell:
        case ConvCell():
            return _conv(cell)
        case VoteCell():
            parts = (one.tolist() for one in (cell.inputs, cell.weights, cell.products))
            terms = [(i, *row) for i, row in enumerate(zip(*parts, strict=True))]
            head = ("index", "input", "weight", "product")
            return head, _end(terms, cell.bias, cell.value, 4)
        case ShareCell():
            total = cell.denominator
            shares = [(i, e, e / total) for i, e in enumerate(cell.exponentials.tolist())]
            return ("index", "exp(logit - peak)", "probability"), shares
        case PoolCell():
            return ("row", "column", "value"), _places(cell.patch.tolist(), cell.rows, cell.columns)
        case MeanCell():
            rows, columns = (range(n) for n in cell.grid.shape)
            return ("row", "column", "value"), _places(cell.grid.tolist(), rows, columns)
        case ReluCell():
            return ("given", "value", "cut away"), [(cell.given, cell.value, cell.cut)]
        case NormCell():
            names = ("given", "mean", "variance", "epsilon", "scale", "shift", "value")
            return names, [tuple(getattr(cell, name) for name in names)]
        case CopyCell():
            origin = ("step", "channel", "row", "column", "value")
            return origin, [(cell.source, cell.channel, cell.y, cell.x, cell.value)]


def _conv(cell: ConvCell) -> Table:
    patch, kernel = cell.patch.tolist(), cell.kernel.tolist()
    rows = [
        (c, y, x, patch[c][i][j], kernel[c][i][j], patch[c][i][j] * kernel[c][i][j])
        for c in range(len(patch))
        for i, y in enumerate(cell.rows)
        for j, x in enumerate(cell.columns)
    ]
    head = ("input map", "row", "column", "input", "weight", "product")
    return head, _end(rows, cell.bias, cell.value, 6)


def _end(
    rows: Sequence[tuple[object, ...]], bias: float, value: float, width: int
) -> list[tuple[object, ...]]:
    """The bias and the network's value, below the products."""
    blank = ("",) * (width - 2)
    return [*rows, ("bias", *blank, bias), ("value", *blank, value)]


def _places(
    values: list[list[float]], rows: Sequence[int], columns: Sequence[int]
) -> list[tuple[int, int, float]]:
    return [
        (y, x, values[i][j])
        for i, y in enumerate(rows)
        for j, x in enumerate(columns)
        if values[i][j] != float("-inf")
    ]
