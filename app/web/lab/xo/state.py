"""The state of X or O in its URL: a board, layers, kernels, a selected cell."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
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
from app.web.core.url_view import UrlView, Written

LIMIT = 9.0
"""Largest magnitude of a kernel's number."""

WEIGHTS = KERNELS * KERNEL * KERNEL
LAYERS = "conv,relu,pool,conv1,relu,pool"

_DIGITS = -(-CELLS // 4)
_CELL = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{1,2})\.(\d{1,2})")
_NUMBER = re.compile(r"[+-]?(\d{1,12}([.,]\d{0,12})?|[.,]\d{1,12})(e[+-]?\d{1,2})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BoardCell:
    """A cell of a map: `layer` counts from 1, the others from 0."""

    layer: int
    map: int
    y: int
    x: int

    def __str__(self) -> str:
        return f"{self.layer}.{self.map}.{self.y}.{self.x}"


class BoardState(UrlView):
    """The page's state, by default the ideal X and its three features.

    `board` is 81 bits, the first cell the highest; 1 is ink.
    """

    page: ClassVar[str] = "/lab/xo"
    safe: ClassVar[str] = ","

    board: Annotated[int, Written(lambda bits: as_hex(bits))] = Field(
        default_factory=lambda: as_bits(ideal("X"))
    )
    layers: Annotated[tuple[TinyLayer, ...], Written(to_text)] = Field(
        default_factory=lambda: parse(LAYERS)
    )
    kernels: Annotated[tuple[float, ...], Written(lambda numbers: as_text(numbers))] = Field(
        default_factory=lambda: default_kernels()
    )
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

    def url(self, **changes: Any) -> str:
        """The page with some fields changed; the default one has no query."""
        return super().url(**changes).removesuffix("?")


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """A state, the errors in the request, and the fields of the form to be redrawn."""

    state: BoardState
    problems: tuple[str, ...]
    redraw: frozenset[str]


def default_kernels() -> tuple[float, ...]:
    """The features of the X as 27 numbers."""
    return tuple(features().flatten().tolist())


def read(parameters: QueryParams) -> BoardQuery:
    """The state that a query names; invalid parts are replaced by the last state or the default."""
    problems: list[str] = []
    first = BoardState()
    board = _board(parameters, first.board, problems)
    layers = _layers(parameters, first.layers, problems)
    kernels = _kernels(parameters, first.kernels, problems)
    match = _match(parameters, first.match, problems)
    cell = None
    # A cell that was selected with other layers is dropped.
    if parameters.get("shown", to_text(layers)) == to_text(layers):
        cell = _cell(parameters, problems)
    redraw = frozenset(name for name in ("board", "kernels") if name in parameters)
    state = BoardState(board=board, layers=layers, kernels=kernels, match=match, cell=cell)
    return BoardQuery(state, tuple(problems), redraw)


def as_bits(board: Tensor) -> int:
    """A board [9,9] as 81 bits."""
    return int("".join("1" if value > 0 else "0" for value in board.flatten().tolist()), 2)


def as_hex(bits: int) -> str:
    """The bits as the URL has them."""
    return f"{bits:0{_DIGITS}x}"


def as_text(kernels: tuple[float, ...]) -> str:
    """Kernels as the URL has them."""
    return ",".join(f"{value:.6g}" for value in kernels)


def _board(parameters: QueryParams, last: int, problems: list[str]) -> int:
    text = parameters.get("board")
    if text is None:
        if "drawn" not in parameters:
            return last
        inked = {int(c) for c in parameters.getlist("c") if re.fullmatch(r"\d{1,2}", c)}
        return sum(1 << (CELLS - 1 - i) for i in inked if i < CELLS)
    if not re.fullmatch(rf"[0-9a-fA-F]{{{_DIGITS}}}", text) or int(text, 16) >> CELLS:
        problems.append(
            f"A board is {_DIGITS} hexadecimal digits, one bit for each of its {CELLS} cells; "
            f"“{_short(text)}” is not a board. The previous one is shown."
        )
        return last
    return int(text, 16)


def _layers(
    parameters: QueryParams, last: tuple[TinyLayer, ...], problems: list[str]
) -> tuple[TinyLayer, ...]:
    for text in (parameters.get("layers"), parameters.get("shown")):
        if text is None:
            break
        try:
            return parse(text)
        except ValueError as error:
            problems.append(str(error))
    return last


def _kernels(
    parameters: QueryParams, last: tuple[float, ...], problems: list[str]
) -> tuple[float, ...]:
    text = parameters.get("kernels")
    fields = text.split(",") if text is not None else parameters.getlist("k")
    if not fields:
        return last
    if len(fields) != WEIGHTS:
        problems.append(f"The three kernels have {WEIGHTS} numbers, not {len(fields)}.")
    else:
        try:
            return tuple(_number(field, i) for i, field in enumerate(fields))
        except ValueError as error:
            problems.append(f"{error} Until then the last valid numbers are used.")
    return _kept(parameters, last)


def _kept(parameters: QueryParams, last: tuple[float, ...]) -> tuple[float, ...]:
    """The kernels that were on screen, which the form sends along."""
    try:
        numbers = tuple(_number(one, 0) for one in parameters.get("kept", "").split(","))
    except ValueError:
        return last
    return numbers if len(numbers) == WEIGHTS else last


def _number(text: str, place: int) -> float:
    """A kernel's number. Raises `ValueError` with a sentence that gives the place and the range."""
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


def _match(parameters: QueryParams, last: Match, problems: list[str]) -> Match:
    match parameters.get("match"):
        case "mean" | None:
            return "mean"
        case "sum":
            return "sum"
        case other:
            problems.append(f"A match is a mean or a sum, not “{_short(other)}”.")
            return last


def _cell(parameters: QueryParams, problems: list[str]) -> BoardCell | None:
    text = parameters.get("cell")
    if not text:
        return None
    if found := _CELL.fullmatch(text):
        layer, map, y, x = (int(part) for part in found.groups())
        return BoardCell(layer, map, y, x)
    problems.append(
        f"“{_short(text)}” is not a cell: a cell is layer.map.row.column, for example 1.0.1.1."
    )
    return None


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"
