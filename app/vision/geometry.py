"""Output sizes and receptive fields: which input pixels does a cell of a feature map see?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.graph import INPUT, Network, Step


def output_size(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool = False) -> int:
    """Cells along one axis: floor((size + 2 padding - kernel) / stride) + 1.

    With `ceil_mode` the last, partly filled window counts too, unless it would start beyond the
    picture and its leading padding (as in torch).
    """
    free = size + 2 * padding - kernel
    if not ceil_mode:
        return free // stride + 1
    cells = math.ceil(free / stride) + 1
    return cells - 1 if (cells - 1) * stride >= size + padding else cells


@dataclass(frozen=True, slots=True)
class CellAxis:
    """How the cells of a map lie on one axis of the input, in input pixels.

    Cell i sees the pixels from `start + jump * i` up to, not including, `start + jump * i + size`.
    Both may lie outside the picture, in the padding. No cell sees beyond `last`: the windows of a
    pooling in ceil mode hang over the end of the map that they read, where there is no cell.
    """

    cells: int
    size: int = 1
    jump: int = 1
    start: int = 0
    bound: int | None = None

    @property
    def last(self) -> int:
        """One past the last input pixel that a cell can see."""
        end = self.start + self.jump * (self.cells - 1) + self.size
        return end if self.bound is None else min(end, self.bound)

    def window(self, kernel: int, stride: int, padding: int, ceil_mode: bool = False) -> CellAxis:
        """The axis after a sliding window: r' = r + (k-1) j, j' = j s, start' = start - p j."""
        return CellAxis(
            output_size(self.cells, kernel, stride, padding, ceil_mode),
            self.size + (kernel - 1) * self.jump,
            self.jump * stride,
            self.start - padding * self.jump,
            self.last,
        )

    def whole(self) -> CellAxis:
        """The axis after a global average pool: one cell that sees everything."""
        return CellAxis(1, self.last - self.start, self.jump, self.start)

    def join(self, other: CellAxis) -> CellAxis:
        """The axis after concat: a cell sees the union of what the two maps' cells see."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return CellAxis(self.cells, end - start, self.jump, start, max(self.last, other.last))

    def span(self, cell: int, limit: int) -> tuple[int, int]:
        """First and one-past-last input pixel under `cell`, clipped to the picture, 0..`limit`."""
        first = self.start + self.jump * cell
        return max(0, first), min(limit, self.last, first + self.size)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of input pixels; `right` and `bottom` are not included."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """Shape of one step's output and the receptive fields of its cells.

    `shape` is (C, H, W), or (K,) from flatten on. Source of the recursion: Araujo, Norris, Sim
    2019, "Computing Receptive Fields of Convolutional Neural Networks".
    """

    shape: tuple[int, ...]
    rows: CellAxis
    columns: CellAxis
    input_size: int

    @property
    def receptive_field(self) -> int:
        """Side of the receptive field in input pixels, padding included.

        From flatten on every number sees all pixels that are read.
        """
        return self.rows.size if self.spatial else min(self.rows.last, self.input_size)

    @property
    def spatial(self) -> bool:
        """Whether the output has rows and columns."""
        return len(self.shape) == 3

    def box(self, y: int, x: int) -> Box:
        """The input pixels that cell (y, x) depends on, clipped to those that are read."""
        if not self.spatial:
            right, bottom = (min(a.last, self.input_size) for a in (self.columns, self.rows))
            return Box(0, 0, right, bottom)
        left, right = self.columns.span(x, self.input_size)
        top, bottom = self.rows.span(y, self.input_size)
        return Box(left, top, right, bottom)


def geometry(network: Network) -> dict[str, Geometry]:
    """Compute shape and receptive field of every step, by name, without running the network."""
    side = CellAxis(network.input_size)
    known = {INPUT: Geometry((3, side.cells, side.cells), side, side, network.input_size)}
    for step in network.steps:
        known[step.name] = _after(step, [known[name] for name in step.inputs])
    del known[INPUT]
    return known


def _after(step: Step, inputs: list[Geometry]) -> Geometry:
    before = inputs[0]
    rows, columns, size = before.rows, before.columns, before.input_size
    match step.kind:
        case "conv" | "maxpool":
            rows, columns = (_slide(axis, step, i) for i, axis in enumerate((rows, columns)))
            shape = (step.channels or before.shape[0], rows.cells, columns.cells)
        case "avgpool":
            rows, columns = rows.whole(), columns.whole()
            shape = (before.shape[0], 1, 1)
        case "concat":
            for other in inputs[1:]:
                rows, columns = rows.join(other.rows), columns.join(other.columns)
            shape = (sum(i.shape[0] for i in inputs), rows.cells, columns.cells)
        case "flatten":
            return Geometry((math.prod(before.shape),), rows, columns, size)
        case "fc":
            return Geometry((step.channels or 0,), rows, columns, size)
        case _:
            return before
    return Geometry(shape, rows, columns, size)


def _slide(axis: CellAxis, step: Step, which: int) -> CellAxis:
    if step.kernel is None or step.stride is None or step.padding is None:
        raise ValueError(f"{step.name!r} is a {step.kind} without a window")
    return axis.window(step.kernel[which], step.stride[which], step.padding[which], step.ceil_mode)
