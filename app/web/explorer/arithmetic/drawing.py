"""The arithmetic pane as a picture for download."""

from __future__ import annotations

from app.pictures.tables import Block, tables_png
from app.vision.arithmetic.convolution import ConvCell
from app.vision.arithmetic.explain import Cell
from app.vision.arithmetic.pointwise import NormCell, ReluCell
from app.vision.arithmetic.pooling import MeanCell, PoolCell
from app.vision.arithmetic.voting import ShareCell, VoteCell
from app.web.core.templating import number
from app.web.explorer.arithmetic.contexts import ArithmeticPane, ChainMade
from app.web.parts.unit_names import map_name

LISTED = 8
"""Summands on the picture."""


def arithmetic_png(deep: ArithmeticPane) -> bytes:
    """The numbers as tables, the sentence below them."""
    if isinstance(deep.made, ChainMade):
        blocks = _chain(deep.made)
    else:
        blocks = _blocks(deep.explained, deep.step.inputs[0], deep.view.source)
    name = f"{deep.step.name}, {deep.label or deep.channel}"
    where = f", row {deep.cell[0]}, column {deep.cell[1]}" if deep.spatial else ""
    check = deep.check
    adds = f" The numbers make {check.total}, the network has {check.value}." if check else ""
    return tables_png(f"{name}{where} = {number(deep.value)}", blocks, deep.say + adds)


def _chain(chain: ChainMade) -> list[Block]:
    return [
        Block(
            f"{link.name} = {number(link.value)}: value, weight, term",
            [[part.value, part.weight, part.term] for part in link.parts],
            text=number,
        )
        for link in chain.links
        if link.adds
    ]


def _blocks(cell: Cell, before: str, source: int | None) -> list[Block]:
    match cell:
        case ConvCell():
            return _conv(cell, before, source)
        case PoolCell():
            return [Block("The window", cell.numbers, text=number)]
        case MeanCell():
            return [Block("The map", cell.grid.tolist(), text=number)]
        case ReluCell():
            return [Block("max(0, this)", [[cell.given]], text=number)]
        case NormCell():
            constants = [cell.given, cell.mean, cell.spread, cell.scale, cell.shift]
            return [Block("Input, mean, spread, scale, shift", [constants], text=number)]
        case VoteCell():
            return [
                _votes(cell, "For it: number, weight, product", 1),
                _votes(cell, "Against it", -1),
            ]
        case ShareCell():
            order = cell.exponentials.argsort(descending=True)[:LISTED]
            values = cell.exponentials[order]
            shares = [[v, v / cell.denominator] for v in values.tolist()]
            return [Block("exp(score - highest), share", shares, text=number)]
        case _:
            return [Block("Copied", [[cell.value]], text=number)]


def _conv(cell: ConvCell, before: str, source: int | None) -> list[Block]:
    terms = cell.terms
    order = terms.abs().argsort(descending=True, stable=True)[:LISTED].tolist()
    chosen = order[0] if source is None else source
    name = map_name(before, chosen)
    names = ", ".join(map(str, order))
    return [
        Block(f"Patch of {name}", cell.patch[chosen].tolist(), text=number),
        Block("times its kernel", cell.kernel[chosen].tolist(), text=number),
        Block("makes", cell.products[chosen].tolist(), text=number),
        Block(f"Input maps {names} add", [terms[order].tolist()], text=number),
        Block("bias", [[cell.bias]], text=number),
    ]


def _votes(cell: VoteCell, title: str, sign: int) -> Block:
    rows = [
        [float(cell.inputs[i]), float(cell.weights[i]), float(cell.products[i])]
        for i in cell.strongest(LISTED, sign)
    ]
    return Block(title, rows, text=number)
