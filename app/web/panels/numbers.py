"""Panel: the raw values around a cell, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.runs.arithmetic import checked_channel
from app.services.runs.run import Run, StepRecord
from app.vision.contributions import strongest_cell
from app.web.core.links import View
from app.web.panels.panel import UnitPanel, of_units
from app.web.parts.contexts import helped

REACH = 2
"""Cells shown on each side: five columns are what fits the pane."""


def numbers(view: View, run: Run, record: StepRecord) -> NumbersPanel:
    """Values of a map from two cells above and left of the cell to two below and right."""
    grid = run.tensor(record.step.name)[checked_channel(record, view.channel or 0)]
    rows, columns = grid.shape
    y, x = strongest_cell(grid)
    if view.y is not None and view.x is not None and view.y < rows and view.x < columns:
        y, x = view.y, view.x
    down = range(max(0, y - REACH), min(rows, y + REACH + 1))
    across = range(max(0, x - REACH), min(columns, x + REACH + 1))
    part = grid[down.start : down.stop, across.start : across.stop].tolist()
    return NumbersPanel((y, x), tuple(across), tuple(zip(down, part, strict=True)))


@dataclass(frozen=True, slots=True)
class NumbersPanel:
    """The raw values around a cell."""

    cell: tuple[int, int] = helped("Row and column of the cell.")
    columns: tuple[int, ...] = helped("The columns that are shown.")
    rows: tuple[tuple[int, list[float]], ...] = helped("Each row that is shown, with its values.")


PANEL = UnitPanel(
    "numbers",
    "The numbers around this cell",
    of_units(lambda model, step: model.geometry[step.name].spatial),
    "partials/_numbers.html",
    numbers,
)
