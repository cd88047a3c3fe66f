"""The input of the tiny network: letters drawn on a board, +1 is ink, -1 is paper.

A cell is ink where its centre is within half a stroke's width of the letter's line, so that a
shifted, rotated, smaller or thicker letter is the same line.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import pi
from typing import Literal

import torch
from torch import Tensor

Letter = Literal["X", "O"]

SIDE = 9
CELLS = SIDE * SIDE
INK, PAPER = 1.0, -1.0
SIGNS: dict[Letter, float] = {"X": 1.0, "O": -1.0}
"""The target value of each letter: the sign of its vote."""

THIN, THICK = 0.6, 0.8
"""Half a stroke's width, in cells. Diagonal neighbours of a thick X's line are ink too."""

_REACH, _CORNER = 3.0, 1.5
_STEEPEST, _SMALLEST, _SPOTS = 15.0, 0.85, 3


@dataclass(frozen=True, slots=True)
class Pen:
    """How n letters are drawn: fields [n], the shift [n,2] as (down, across).

    `degrees` rotates anticlockwise, `scale` is 1 for a letter of seven cells, `half` is half the
    stroke's width.
    """

    shift: Tensor
    degrees: Tensor
    scale: Tensor
    half: Tensor

    @classmethod
    def one(
        cls,
        shift: tuple[float, float] = (0, 0),
        degrees: float = 0,
        scale: float = 1,
        half: float = THIN,
    ) -> Pen:
        """The pen for a single letter."""
        return cls(_row([shift]), _row([degrees]), _row([scale]), _row([half]))


@dataclass(frozen=True, slots=True)
class BoardPreset:
    """A prepared board: a letter as `Pen` draws it, with some cells flipped.

    `how` names the change, "" for the ideal letter.
    """

    letter: Letter
    how: str = ""
    shift: tuple[float, float] = (0, 0)
    degrees: float = 0
    half: float = THIN
    flipped: tuple[tuple[int, int], ...] = ()

    def board(self) -> Tensor:
        """The board, [9,9]."""
        pen = Pen.one(self.shift, self.degrees, half=self.half)
        return flip(draw(_row([SIGNS[self.letter]]), pen)[0], self.flipped)


def draw(signs: Tensor, pen: Pen) -> Tensor:
    """One board for each of `signs`, +1 for an X and -1 for an O: [n,9,9] of +1 and -1."""
    steps = torch.arange(SIDE, dtype=torch.float64) - SIDE // 2
    down = steps[None, :, None] - pen.shift[:, 0, None, None]
    across = steps[None, None, :] - pen.shift[:, 1, None, None]
    angle, scale, half = ((v[:, None, None]) for v in (pen.degrees, pen.scale, pen.half))
    sine, cosine = (angle * pi / 180).sin(), (angle * pi / 180).cos()
    y, x = (down * cosine + across * sine) / scale, (across * cosine - down * sine) / scale
    distance = torch.where(signs[:, None, None] > 0, _to_x(y, x), _to_o(y, x)) * scale
    return torch.where(distance <= half, INK, PAPER).double()


def ideal(letter: Letter) -> Tensor:
    """The ideal letter, [9,9]: thin, upright, in the middle."""
    return draw(_row([SIGNS[letter]]), Pen.one())[0]


def flip(board: Tensor, cells: Collection[tuple[int, int]]) -> Tensor:
    """The board with ink and paper exchanged in some cells."""
    turned = board.clone()
    for y, x in cells:
        turned[y, x] = -turned[y, x]
    return turned


def generate_boards(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Generate boards [n,9,9] and their signs [n], as many X as O, deterministic for a seed.

    Each is shifted by at most one cell; one fifth each is also rotated by up to 15 degrees, thick,
    noisy (one to three cells flipped) or smaller; the last fifth is only shifted.
    """
    generator = torch.Generator().manual_seed(seed)
    signs = torch.ones(count, dtype=torch.float64)
    signs[1::2] = -1
    kind = torch.randint(5, (count,), generator=generator)
    shift = torch.randint(-1, 2, (count, 2), generator=generator).double()
    chance = torch.rand(count, generator=generator, dtype=torch.float64)
    pen = Pen(
        shift,
        torch.where(kind == 1, (2 * chance - 1) * _STEEPEST, 0.0),
        torch.where(kind == 2, _SMALLEST + (1 - _SMALLEST) * chance, 1.0),
        THIN + (THICK - THIN) * (kind == 3).double(),
    )
    spots = torch.where(kind == 4, torch.randint(1, _SPOTS + 1, (count,), generator=generator), 0)
    order = torch.rand(count, CELLS, generator=generator).argsort(1).argsort(1)
    wrong = (order < spots[:, None]).reshape(count, SIDE, SIDE)
    boards = draw(signs, pen)
    return torch.where(wrong, -boards, boards), signs


def _row(values: list[float] | list[tuple[float, float]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _to_x(y: Tensor, x: Tensor) -> Tensor:
    """Distance to an X: two strokes of 45 degrees that cross in the middle."""
    falling, rising = (((y + s * x) / 2).clamp(-_REACH, _REACH) for s in (1, -1))
    return torch.minimum(
        (y - falling).hypot(x - falling),
        (y - rising).hypot(x + rising),
    )


def _to_o(y: Tensor, x: Tensor) -> Tensor:
    """Distance to an O: the outline of a square with round corners."""
    corner = torch.stack((y.abs(), x.abs())) - (_REACH - _CORNER)
    outside = corner.clamp_min(0).square().sum(0).sqrt()
    return (outside + corner.amax(0).clamp_max(0) - _CORNER).abs()


_NOISE = ((2, 5), (5, 1), (6, 6))

PRESETS = (
    BoardPreset("X"),
    BoardPreset("X", "shifted", shift=(0, 1)),
    BoardPreset("X", "rotated", degrees=15),
    BoardPreset("X", "thick", half=THICK),
    BoardPreset("X", "noisy", flipped=_NOISE),
    BoardPreset("O"),
    BoardPreset("O", "shifted", shift=(1, 1)),
    BoardPreset("O", "rotated", degrees=15),
    BoardPreset("O", "thick", half=THICK),
    BoardPreset("O", "noisy", flipped=_NOISE),
)
