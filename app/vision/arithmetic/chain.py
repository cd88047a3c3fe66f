"""Provenance: trace a cell back to the picture, step by step, through a cell it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from app.vision.arithmetic.convolution import ConvCell
from app.vision.arithmetic.explain import Cell, Outputs, explain
from app.vision.arithmetic.pointwise import CopyCell, NormCell, ReluCell
from app.vision.arithmetic.pooling import MeanCell, PoolCell
from app.vision.arithmetic.voting import ShareCell, VoteCell
from models.graph import INPUT, Kind, Network, Step

CHOICE = 4
"""Number of source cells that each link offers to follow."""


@dataclass(frozen=True, slots=True)
class CellPlace:
    """A cell: row `y` and column `x` of a channel of `step`; 0, 0 from flatten on."""

    step: str
    channel: int
    y: int = 0
    x: int = 0


@dataclass(frozen=True, slots=True)
class ChainTerm:
    """One term of a link: `term = weight * value`, `share` = term / sum of all magnitudes.

    A softmax multiplies by no weight: it has None, its value is the logit, its term the result.
    """

    place: CellPlace
    value: float
    weight: float | None
    term: float
    share: float


@dataclass(frozen=True, slots=True)
class ChainStep:
    """A cell and its terms: `value = bias + sum of parts' terms + rest`.

    `parts` are the largest terms of the value's own sign, largest first; `rest` is the sum of the
    `others` that are not listed; `chosen` is the part that the chain follows, None at its end.
    """

    place: CellPlace
    kind: Kind
    value: float
    bias: float
    parts: tuple[ChainTerm, ...]
    rest: float
    others: int
    chosen: int | None = None

    @property
    def adds(self) -> bool:
        """Whether the cell is a sum of several terms; other cells depend on one number only."""
        return len(self.parts) + self.others > 1


def chain(
    network: Network, outputs: Outputs, start: CellPlace, path: Sequence[int] = ()
) -> Iterator[ChainStep]:
    """Yield the links from `start` back to the first step, whose parts are pixels.

    `path` says for each link that is a sum which of its parts to follow; beyond its end, and by
    default, the largest (0). A cell without parts ends the chain, such as a ReLU at zero. Raises
    `KeyError` for an unknown step, `IndexError` for an unknown channel, cell or choice.
    """
    place: CellPlace | None = start
    choices = iter(path)
    while place is not None:
        step = network.step(place.step)
        cell = explain(network, outputs, place.step, place.channel, (place.y, place.x))
        link = _link(step, place, cell)
        if step.inputs[0] != INPUT and link.parts:
            chosen = next(choices, 0) if link.adds else 0
            if not 0 <= chosen < len(link.parts):
                raise IndexError(f"{step.name} offers sources 0 to {len(link.parts) - 1} here")
            link = replace(link, chosen=chosen)
        yield link
        place = None if link.chosen is None else link.parts[link.chosen].place


def _link(step: Step, place: CellPlace, cell: Cell) -> ChainStep:
    bias, values, weights = _sum(cell)
    terms = _one(cell.value) if weights is None else values * weights
    signed = terms if cell.value >= 0 else -terms
    order = signed.argsort(descending=True, stable=True)[:CHOICE].tolist()
    listed = [i for i in order if signed[i] > 0]
    magnitude = abs(bias) + float(terms.abs().sum())
    parts = tuple(
        ChainTerm(
            _source(step, place, cell, i),
            float(values[i]),
            None if weights is None else float(weights[i]),
            float(terms[i]),
            float(terms[i]) / magnitude,
        )
        for i in listed
    )
    rest = float(terms.sum()) - sum(part.term for part in parts)
    return ChainStep(place, step.kind, cell.value, bias, parts, rest, len(terms) - len(parts))


def _sum(cell: Cell) -> tuple[float, Tensor, Tensor | None]:
    """A cell as bias + sum of values times weights; a copied number is a sum of one term.

    No weights where the one value is not multiplied by a number: softmax.
    """
    match cell:
        case ConvCell():
            return cell.bias, cell.patch.flatten(), cell.kernel.flatten()
        case VoteCell():
            return cell.bias, cell.inputs, cell.weights
        case MeanCell():
            grid = cell.grid.flatten()
            return 0.0, grid, torch.full_like(grid, 1 / len(grid))
        case NormCell():
            factor = cell.scale / cell.spread
            return cell.shift - factor * cell.mean, _one(cell.given), _one(factor)
        case ReluCell():
            return 0.0, _one(cell.given), _one(float(cell.given > 0))
        case ShareCell():
            return 0.0, _one(cell.logit), None
        case PoolCell() | CopyCell():
            return 0.0, _one(cell.value), _one(1.0)


def _one(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def _source(step: Step, place: CellPlace, cell: Cell, index: int) -> CellPlace:
    """The cell of the previous step that term `index` of a cell comes from."""
    before = step.inputs[0]
    match cell:
        case ConvCell():
            channel, inside = divmod(index, cell.patch[0].numel())
            y, x = divmod(inside, cell.patch.shape[2])
            return CellPlace(before, channel, cell.rows[y], cell.columns[x])
        case VoteCell():
            return CellPlace(before, index)
        case MeanCell():
            return CellPlace(before, place.channel, *divmod(index, cell.grid.shape[1]))
        case PoolCell():
            return CellPlace(before, place.channel, *cell.winner)
        case CopyCell():
            return CellPlace(cell.source, cell.channel, cell.y, cell.x)
        case ReluCell() | NormCell() | ShareCell():
            return replace(place, step=before)
