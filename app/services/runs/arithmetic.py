"""Checks a requested channel and cell, and explains it: arithmetic, contributions, kernels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from app.errors import BadRequest, UnknownStep
from app.services.runs.run import Run, StepRecord
from app.vision.arithmetic.chain import CellPlace, ChainStep, chain
from app.vision.arithmetic.explain import Cell, explain
from app.vision.class_contributions import ClassContributions, class_contributions
from app.vision.contributions import strongest_cell
from models.graph import Step

LONGEST_PATH = 64
"""Most links in a chosen path; the deepest network here has nineteen steps with sums."""


def checked_channel(record: StepRecord, channel: int) -> int:
    """Return the channel if the step has it. Raises `UnknownStep`."""
    if not 0 <= channel < (count := len(record.statistics.peaks)):
        raise UnknownStep(f"{record.step.name} has channels 0 to {count - 1}, not {channel}.")
    return channel


def checked_cell(
    run: Run, record: StepRecord, channel: int, y: int | None, x: int | None
) -> tuple[int, int]:
    """Row and column of a cell, by default the channel's strongest; (0, 0) without feature maps.

    Raises `UnknownStep` with the valid range, `BadRequest` for half a cell.
    """
    if (y is None) != (x is None):
        given, missing = (f"row y={y}", "column x") if x is None else (f"column x={x}", "row y")
        raise BadRequest(f"A cell has a row and a column: {given} is there, its {missing} is not.")
    where = run.model.geometry[record.step.name]
    if not where.spatial:
        if y or x:
            raise UnknownStep(f"{record.step.name} is a row of numbers: it has no rows to choose.")
        return 0, 0
    if y is None or x is None:
        return strongest_cell(run.maps(record.step.name, [channel])[0])
    rows, columns = where.shape[1:]
    if not (0 <= y < rows and 0 <= x < columns):
        raise UnknownStep(
            f"{record.step.name} has rows 0 to {rows - 1} and columns 0 to {columns - 1}, "
            f"not row {y}, column {x}."
        )
    return y, x


def explained(run: Run, record: StepRecord, channel: int, cell: tuple[int, int]) -> Cell:
    """Explain the arithmetic of one cell."""
    return explain(run.network, run.output, record.step.name, channel, cell)


def chained(
    run: Run,
    record: StepRecord,
    channel: int,
    cell: tuple[int, int],
    path: Sequence[int],
    *,
    whole: bool = True,
) -> list[ChainStep]:
    """The chain of cells from one cell down to the input.

    Raises `BadRequest` for a choice that is not offered, and with `whole` for one too many: a
    page keeps its path when it shows another picture, whose chain may be shorter.
    """
    if len(path) > LONGEST_PATH:
        raise BadRequest(f"A path has at most {LONGEST_PATH} choices, not {len(path)}.")
    start = CellPlace(record.step.name, channel, *cell)
    try:
        links = list(chain(run.network, run.output, start, path))
    except IndexError as error:
        raise BadRequest(f"This path cannot be followed: {error}.") from None
    offered = sum(link.adds and link.chosen is not None for link in links)
    if whole and len(path) > offered:
        raise BadRequest(
            f"This path has {len(path)} choices, and this chain offers {offered}: it ends at "
            f"{links[-1].place.step}."
        )
    return links


def contributions_to_class(run: Run, index: int) -> ClassContributions:
    """The contribution of each cell of the last feature maps to a class's logit."""
    return class_contributions(run.network, run.output, index)


def weight_of(run: Run, step: Step) -> Tensor:
    """The kernels of a convolution, [O,I,kh,kw]."""
    return weight_of_module(run.network.module(step.name))


def weight_of_module(module: nn.Module) -> Tensor:
    """The kernels of a convolution's module, [O,I,kh,kw]. Raises `TypeError` for any other."""
    weight = module.weight
    if not isinstance(weight, Tensor):
        raise TypeError("a convolution has kernels")
    return weight
