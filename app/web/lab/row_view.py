"""A row of numbers and its kernel: parsed from the URL, validated and computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from app.errors import BadRequest
from app.vision.arithmetic.conventions import averaged, cells, turned
from app.vision.arithmetic.convolution import ConvCell, conv_cell, convolve
from app.vision.window import Window
from app.web.core.url_view import Switch, UrlView
from app.web.lab.lab_query import LabQuery, Numbers, counted, resized
from app.web.lab.words import Pair

Mode = Literal["sum", "average"]
MODES: tuple[Mode, ...] = ("sum", "average")
LONGEST, LARGEST_KERNEL = 12, 5
STRIDES, PADDINGS, DILATIONS = range(1, 5), range(5), range(1, 4)
LENGTHS, SIZES = range(1, LONGEST + 1), range(1, LARGEST_KERNEL + 1)


class RowView(UrlView):
    """What is on screen, all of it in the URL; `at` is a position of the window, 1 the first."""

    page: ClassVar[str] = "/lab/row"

    row: Numbers = (5, 3, 7, 5, 9, 7)
    kernel: Numbers = (1, 2, 3)
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    mode: str = "sum"
    turn: Switch = False
    at: int = 1

    @property
    def window(self) -> Window:
        """The window over a row, which is a map of one line."""
        along = (len(self.kernel), self.stride, self.padding, self.dilation)
        k, s, p, d = along
        return Window((1, k), (1, s), (0, p), (1, d))

    @property
    def count(self) -> int:
        """Positions of the window."""
        return self.window.outputs((1, len(self.row)))[1]


PLAIN = RowView()


@dataclass(frozen=True, slots=True)
class RowResult:
    """The results of a view: the numbers under the window at each position, the result [n]."""

    view: RowView
    kernel: Tensor
    values: Tensor
    places: tuple[ConvCell, ...]

    @property
    def cells(self) -> int:
        """The divisor of a sum; 0 if it is not averaged."""
        return cells(self.view.window) if self.view.mode == "average" else 0

    def pairs(self, at: int) -> list[Pair]:
        """Input number and weight at a position, in order."""
        place = self.places[at - 1]
        return list(zip(place.patch[0, 0].tolist(), place.kernel[0, 0].tolist(), strict=True))


def read(query: LabQuery) -> RowView:
    """The view of a request, without `at`. Raises `BadRequest` with a sentence."""
    row = query.numbers("row", PLAIN.row, "The row")
    kernel = query.numbers("kernel", PLAIN.kernel, "The kernel")
    counted(row, 1, LONGEST, "The row")
    counted(kernel, 1, LARGEST_KERNEL, "The kernel")
    length = query.whole("length", len(row), 1, LONGEST, "The length of the row")
    size = query.whole("size", len(kernel), 1, LARGEST_KERNEL, "The length of the kernel")
    view = RowView(
        row=resized(row, length, centred=False),
        kernel=resized(kernel, size, centred=True),
        stride=query.whole("stride", 1, STRIDES[0], STRIDES[-1], "Stride"),
        padding=query.whole("padding", 0, PADDINGS[0], PADDINGS[-1], "Padding"),
        dilation=query.whole("dilation", 1, DILATIONS[0], DILATIONS[-1], "Dilation"),
        mode=query.choice("mode", MODES, "The switch"),
        turn=query.flag("turn"),
    )
    if misfit := view.window.misfit((1, len(view.row))):
        raise BadRequest(misfit.replace("columns", "numbers").replace("the picture", "the row"))
    return view


def work(view: RowView) -> RowResult:
    """Slide the kernel along the row."""
    inputs = torch.tensor(view.row, dtype=torch.float64)[None, None]
    kernel = torch.tensor(view.kernel, dtype=torch.float64)[None, None]
    kernel = turned(kernel) if view.turn else kernel
    sums = convolve(inputs, kernel[None], view.window)[0, 0]
    places = tuple(
        conv_cell(view.window, inputs, kernel, 0.0, value, (0, x))
        for x, value in enumerate(sums.tolist())
    )
    values = averaged(sums, view.window) if view.mode == "average" else sums
    return RowResult(view, kernel[0, 0], values, places)
