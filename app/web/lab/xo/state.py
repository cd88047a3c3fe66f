"""What a person asked of X or O: a board, layers, kernels, a cell; and the URL that names it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import torch
from starlette.datastructures import QueryParams
from torch import Tensor

from app.vision.tiny_network.board import CELLS, INK, PAPER, SIDE, ideal
from app.vision.tiny_network.network import (
    KERNEL,
    KERNELS,
    Match,
    TinyLayer,
    features,
    parse,
    to_text,
)

LIMIT = 9.0
"""Largest magnitude of a kernel's number."""

WEIGHTS = KERNELS * KERNEL * KERNEL
LAYERS = "conv,relu,pool,conv1,relu,pool"
PATH = "/lab/xo"

_DIGITS = -(-CELLS // 4)
_CELL = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{1,2})\.(\d{1,2})")
_NUMBER = re.compile(r"[+-]?(\d{1,12}([.,]\d{0,12})?|[.,]\d{1,12})(e[+-]?\d{1,2})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BoardCell:
    """A number of a map: `layer` counts from 1, the others from 0."""

    layer: int
    map: int
    y: int
    x: int

    def __str__(self) -> str:
        return f"{self.layer}.{self.map}.{self.y}.{self.x}"


@dataclass(frozen=True, slots=True)
class BoardState:
    """All that the page shows. `board` is 81 bits, the first cell the highest; 1 is ink."""

    board: int
    layers: tuple[TinyLayer, ...]
    kernels: tuple[float, ...]
    match: Match = "mean"
    cell: BoardCell | None = None

    @property
    def values(self) -> Tensor:
        """The board, [9,9] of +1 and -1."""
        bits = [INK if self.board >> (CELLS - 1 - i) & 1 else PAPER for i in range(CELLS)]
        return torch.tensor(bits, dtype=torch.float64).reshape(SIDE, SIDE)

    @property
    def weights(self) -> Tensor:
        """The kernels, [3,3,3]."""
        numbers = torch.tensor(self.kernels, dtype=torch.float64)
        return numbers.reshape(KERNELS, KERNEL, KERNEL)

    def url(self, path: str = PATH, **changes: Any) -> str:
        """The address of this state, changed; what is as at first is left out."""
        state, first = replace(self, **changes), plain()
        told: dict[str, str] = {}
        if state.board != first.board:
            told["board"] = as_hex(state.board)
        if state.layers != first.layers:
            told["layers"] = to_text(state.layers)
        if state.kernels != first.kernels:
            told["kernels"] = as_text(state.kernels)
        if state.match != first.match:
            told["match"] = state.match
        if state.cell:
            told["cell"] = str(state.cell)
        return f"{path}?{urlencode(told, safe=',')}" if told else path


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """A state, what was wrong with the request, and which fields of the form must be drawn anew."""

    state: BoardState
    problems: tuple[str, ...]
    redraw: frozenset[str]


def plain() -> BoardState:
    """The page at first: the ideal X, the three features of the X."""
    return BoardState(as_bits(ideal("X")), parse(LAYERS), default_kernels())


def default_kernels() -> tuple[float, ...]:
    """The features of the X as 27 numbers."""
    return tuple(features().flatten().tolist())


def read(given: QueryParams) -> BoardQuery:
    """The state that a query names; where it names none, the last that held or the first."""
    problems: list[str] = []
    first = plain()
    board = _board(given, first.board, problems)
    layers = _layers(given, first.layers, problems)
    kernels = _kernels(given, first.kernels, problems)
    match = _match(given, first.match, problems)
    cell = None
    # A cell that was chosen under other layers is chosen no more.
    if given.get("shown", to_text(layers)) == to_text(layers):
        cell = _cell(given, problems)
    redraw = frozenset(name for name in ("board", "kernels") if name in given)
    return BoardQuery(BoardState(board, layers, kernels, match, cell), tuple(problems), redraw)


def as_bits(board: Tensor) -> int:
    """A board [9,9] as 81 bits."""
    return int("".join("1" if value > 0 else "0" for value in board.flatten().tolist()), 2)


def as_hex(bits: int) -> str:
    """The bits as the URL has them."""
    return f"{bits:0{_DIGITS}x}"


def as_text(kernels: tuple[float, ...]) -> str:
    """Kernels as the URL has them."""
    return ",".join(f"{value:.6g}" for value in kernels)


def _board(given: QueryParams, last: int, problems: list[str]) -> int:
    text = given.get("board")
    if text is None:
        if "drawn" not in given:
            return last
        inked = {int(c) for c in given.getlist("c") if re.fullmatch(r"\d{1,2}", c)}
        return sum(1 << (CELLS - 1 - i) for i in inked if i < CELLS)
    if not re.fullmatch(rf"[0-9a-fA-F]{{{_DIGITS}}}", text) or int(text, 16) >> CELLS:
        problems.append(
            f"A board is {_DIGITS} hexadecimal digits, one bit for each of its {CELLS} cells; "
            f"“{_short(text)}” is none. Here is the one from before."
        )
        return last
    return int(text, 16)


def _layers(
    given: QueryParams, last: tuple[TinyLayer, ...], problems: list[str]
) -> tuple[TinyLayer, ...]:
    for text in (given.get("layers"), given.get("shown")):
        if text is None:
            break
        try:
            return parse(text)
        except ValueError as error:
            problems.append(str(error))
    return last


def _kernels(given: QueryParams, last: tuple[float, ...], problems: list[str]) -> tuple[float, ...]:
    text = given.get("kernels")
    fields = text.split(",") if text is not None else given.getlist("k")
    if not fields:
        return last
    if len(fields) != WEIGHTS:
        problems.append(f"The three kernels have {WEIGHTS} numbers, not {len(fields)}.")
    else:
        try:
            return tuple(_number(field, i) for i, field in enumerate(fields))
        except ValueError as error:
            problems.append(f"{error} Until then the last numbers that hold stay.")
    return _kept(given, last)


def _kept(given: QueryParams, last: tuple[float, ...]) -> tuple[float, ...]:
    """The kernels that were on screen, which the form carries along."""
    try:
        numbers = tuple(_number(one, 0) for one in given.get("kept", "").split(","))
    except ValueError:
        return last
    return numbers if len(numbers) == WEIGHTS else last


def _number(text: str, place: int) -> float:
    """A kernel's number. Raises `ValueError` with a sentence that says which and what holds."""
    kernel, cell = divmod(place, KERNEL * KERNEL)
    where = f"Kernel {kernel}, row {cell // KERNEL}, column {cell % KERNEL}"
    plain_text = text.strip().replace("−", "-")
    if not _NUMBER.fullmatch(plain_text):
        got = f"“{_short(text)}”" if plain_text else "nothing yet"
        raise ValueError(f"{where} is {got}: it takes a number from −9 to 9.")
    value = float(plain_text.replace(",", "."))
    if not math.isfinite(value) or abs(value) > LIMIT:
        raise ValueError(f"{where} is {_short(text)}: it takes a number from −9 to 9.")
    return round(value, 4) + 0.0


def _match(given: QueryParams, last: Match, problems: list[str]) -> Match:
    match given.get("match"):
        case "mean" | None:
            return "mean"
        case "sum":
            return "sum"
        case other:
            problems.append(f"A match is a mean or a sum, not “{_short(other)}”.")
            return last


def _cell(given: QueryParams, problems: list[str]) -> BoardCell | None:
    text = given.get("cell")
    if not text:
        return None
    if found := _CELL.fullmatch(text):
        layer, map, y, x = (int(part) for part in found.groups())
        return BoardCell(layer, map, y, x)
    problems.append(
        f"“{_short(text)}” is no cell: a cell is layer.map.row.column, for example 1.0.1.1."
    )
    return None


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"
