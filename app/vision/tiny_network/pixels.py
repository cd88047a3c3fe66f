"""Pixel-by-pixel comparison: which ideal letter has more cells in common with the board?

It fails as soon as a letter is shifted; that is why a network looks for small features.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from app.vision.tiny_network.board import Letter, ideal


@dataclass(frozen=True, slots=True)
class PixelComparison:
    """Number of cells, of 81, in which the board equals the ideal X and the ideal O."""

    x: int
    o: int

    @property
    def verdict(self) -> Letter:
        """The letter with more equal cells; the two differ in 33 cells, so there is no tie."""
        return "X" if self.x > self.o else "O"


def compare(board: Tensor) -> PixelComparison:
    """Count the cells of a board [9,9] that equal those of each ideal letter."""
    x, o = (int((board == ideal(letter)).sum()) for letter in ("X", "O"))
    return PixelComparison(x, o)


def correct_count(boards: Tensor, signs: Tensor) -> int:
    """Number of boards [n,9,9] that the comparison classifies correctly."""
    x, o = ((boards == ideal(letter)).sum((1, 2)) for letter in ("X", "O"))
    return int(((x - o) * signs > 0).sum())
