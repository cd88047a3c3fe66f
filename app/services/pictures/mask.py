"""A mask over a network's input, as text for a URL: which cells of a coarse grid are covered.

The grid is the same for every network, so that a link covers the same part of a picture in each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from app.errors import BadRequest

SIDE = 16
"""Cells along a side: four pixels each of a 64-pixel input, fourteen of 224."""

DIGITS = SIDE // 4
_TEXT = re.compile(rf"[0-9a-f]{{{SIDE * DIGITS}}}")


@dataclass(frozen=True, slots=True)
class Mask:
    """`rows` from the top, 16 bits each; the highest bit is the leftmost cell."""

    rows: tuple[int, ...] = (0,) * SIDE

    @classmethod
    def read(cls, text: str) -> Mask:
        """Parse four hexadecimal digits per row; "" covers nothing. Raises `BadRequest`."""
        if not text:
            return cls()
        if not _TEXT.fullmatch(text.lower()):
            raise BadRequest(
                f"A mask is {SIDE * DIGITS} hexadecimal digits, four for each of {SIDE} rows; "
                "this one was cut off or changed on its way."
            )
        starts = range(0, SIDE * DIGITS, DIGITS)
        return cls(tuple(int(text[i : i + DIGITS], 16) for i in starts))

    @classmethod
    def of(cls, cells: Iterable[int]) -> Mask:
        """The mask with these cells covered, numbered in reading order. Raises `BadRequest`."""
        rows = [0] * SIDE
        for cell in cells:
            if not 0 <= cell < SIDE * SIDE:
                raise BadRequest(f"A mask has cells 0 to {SIDE * SIDE - 1}, not {cell}.")
            rows[cell // SIDE] |= 1 << (SIDE - 1 - cell % SIDE)
        return cls(tuple(rows))

    def __str__(self) -> str:
        return "".join(f"{row:0{DIGITS}x}" for row in self.rows) if self.count else ""

    @property
    def cells(self) -> tuple[int, ...]:
        """Numbers of the covered cells, in reading order (row by row)."""
        places = ((y, x) for y in range(SIDE) for x in range(SIDE))
        return tuple(y * SIDE + x for y, x in places if self.rows[y] >> (SIDE - 1 - x) & 1)

    @property
    def count(self) -> int:
        """Number of covered cells."""
        return sum(row.bit_count() for row in self.rows)

    def over(self, size: int) -> Tensor:
        """The mask in pixels, [size,size]: 1 where the picture is covered, else 0."""
        grid = torch.zeros(SIDE * SIDE)
        grid[list(self.cells)] = 1
        at = torch.arange(size) * SIDE // size
        return grid.view(SIDE, SIDE)[at][:, at]
