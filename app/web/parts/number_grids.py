"""Numbers in rows and columns, coloured by their size: patches, kernels, products, small maps."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from app.web.core.templating import fixed, number, scientific

LEVELS = 6
"""Number of colours on each side of zero."""

UNITS = ("", "× 10⁻³", "× 10⁻⁶", "× 10⁻⁹")

Values = Sequence[Sequence[float | None]]
"""Row by row; None where there is no number, beyond the edge of a max pooling's map."""


@dataclass(frozen=True, slots=True)
class GridCell:
    """One number. `heat` is w1-w6 above zero, c1-c6 below, "" at zero; `mark` names a class."""

    text: str
    heat: str
    mark: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of numbers: `caption` for screen readers, `name` for scripts and tests.

    With `edit` each number is a form field of that name; `unit` is the unit of the numbers.
    """

    name: str
    caption: str
    rows: tuple[tuple[GridCell, ...], ...]
    edit: str = ""
    unit: str = ""


def grid(
    name: str,
    caption: str,
    values: Tensor | Values,
    *,
    limit: float | None = None,
    marks: Mapping[tuple[int, int], str] | None = None,
    titles: Mapping[tuple[int, int], str] | None = None,
    zeros: Collection[tuple[int, int]] = (),
    text: Callable[[float], str] = number,
    edit: str = "",
    unit: str = "",
) -> Grid:
    """A grid of `values`, [H,W]: full colour at the magnitude `limit`, by default the largest.

    `marks` and `titles` belong to cells by (row, column); `zeros` are the cells of the padding.
    """
    rows: Values = values.tolist() if isinstance(values, Tensor) else values
    if limit is None:
        limit = max((abs(v) for row in rows for v in row if v is not None), default=0.0)
    marks, titles = marks or {}, titles or {}
    return Grid(
        name,
        caption,
        tuple(
            tuple(
                GridCell(
                    "" if value is None else text(value),
                    heat(value, limit),
                    " ".join(
                        filter(None, (marks.get((y, x), ""), "pad" if (y, x) in zeros else ""))
                    ),
                    titles.get((y, x), ""),
                )
                for x, value in enumerate(row)
            )
            for y, row in enumerate(rows)
        ),
        edit,
        unit,
    )


def compact(limit: float) -> tuple[Callable[[float], str], str]:
    """How to write numbers up to the magnitude `limit` in four digits, and their unit.

    Small ones are written in thousandths or millionths, so that they fit a cell. The same rule as
    `compact` of static/js/numbers.js.
    """
    unit, power = 0, 1.0
    while 0 < limit * power < 0.3 and unit < 3:
        unit, power = unit + 1, power * 1000
    decimals = max(0, min(2, 2 - int(math.log10(limit * power)))) if limit else 0

    def text(value: float) -> str:
        if value == 0:
            return "0"
        large = abs(value) * power >= 1e4
        return scientific(value, 1) if large else fixed(value * power, decimals)

    return text, UNITS[unit]


def heat(value: float | None, limit: float) -> str:
    """The colour class of a value: linear in its magnitude, full at `limit`."""
    if not value or not limit:
        return ""
    level = min(LEVELS, max(1, round(LEVELS * abs(value) / limit)))
    return f"{'w' if value > 0 else 'c'}{level}"
