"""A photo and a kernel of one's own: what the URL says, checked and worked out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from app.errors import BadRequest
from app.pictures.filtered_photo import clipped_png, clipped_share, signed_png
from app.pictures.preprocess import unit
from app.pictures.samples import all_samples
from app.vision.arithmetic.convolution import ConvCell, conv_cell, convolve
from app.vision.kernels import CLASSIC_KERNELS, Kernel, classic_kernel
from app.vision.window import Window
from app.web.lab.lab_query import LabQuery, query, resquared, side_of

SIDE = 320
"""Pixels of the longer side that a photo is shrunk to, so that a kernel answers at once."""

OWN = "own"
Shown = Literal["fitting", "colours", "signed"]
SHOWN: tuple[Shown, ...] = ("fitting", "colours", "signed")


@dataclass(frozen=True, slots=True)
class PhotoView:
    """What is on screen, all of it in the URL.

    `kernel` is one by hand, or `own` with its numbers `k`, each divided by `by`; `filter` is a
    learned one, the closest where it is negative; `y`, `x` is a pixel of the result, by default
    its middle.
    """

    image: str = ""
    kernel: str = "sobel-x"
    k: tuple[float, ...] = ()
    by: int = 1
    show: str = "fitting"
    filter: int = -1
    y: int = -1
    x: int = -1

    @property
    def made(self) -> Kernel:
        """The kernel's numbers."""
        known = classic_kernel(self.kernel)
        return known or Kernel(OWN, "Your own", "Your own kernel.", self.k, self.by)

    @property
    def signed(self) -> bool:
        """Whether the result is shown as a map above and below zero."""
        if self.show == "fitting":
            return abs(sum(self.made.numbers)) < 1e-6
        return self.show == "signed"

    @property
    def window(self) -> Window:
        """The kernel's window: without padding, as on paper."""
        return Window((self.made.side, self.made.side))

    def query(self, **changes: object) -> str:
        """The view as a query string, with some parts changed."""
        return query(self, PLAIN, **changes)

    def url(self, **changes: object) -> str:
        """The page of this view with some parts changed."""
        return f"/lab/photo?{self.query(**changes)}"


PLAIN = PhotoView(image=all_samples()[0].id)


def read(asked: LabQuery, image: str) -> PhotoView:
    """The view that a request asks for, but for its pixel. Raises `BadRequest`."""
    kernel = asked.choice(
        "kernel", [*(one.id for one in CLASSIC_KERNELS), OWN], "The kernel", PLAIN.kernel
    )
    start = classic_kernel(kernel) or CLASSIC_KERNELS[0]
    numbers = asked.numbers("k", start.numbers, "The kernel")
    old = side_of(numbers, 3, 5, "The kernel")
    side = asked.whole("size", old, 3, 5, "Your kernel’s side", "3 or 5")
    if 4 in (old, side):
        raise BadRequest("Your kernel has 3 by 3 or 5 by 5 numbers, so that it has a middle.")
    numbers = resquared(numbers, side, centred=True)
    by = asked.whole("by", int(start.by), 1, 1000, "What the numbers are divided by")
    show = asked.choice("show", SHOWN, "The way to show it")
    view = PhotoView(
        image,
        filter=asked.whole("filter", -1, -1, 9999, "The learned filter", "a number from 0"),
        show=show,
    )
    same = [one.id for one in CLASSIC_KERNELS if (one.numbers, one.by) == (numbers, by)]
    if same:
        return replace(view, kernel=same[0])
    return replace(view, kernel=OWN, k=numbers, by=by)


@dataclass(frozen=True, slots=True)
class Filtered:
    """A photo through a kernel: colours [3,H,W] that are cut for the screen, or a signed [H,W]."""

    values: Tensor
    signed: bool

    def png(self) -> bytes:
        """The result as people see it."""
        return signed_png(self.values) if self.signed else clipped_png(self.values)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.values.shape[-2], self.values.shape[-1]

    @property
    def limit(self) -> float:
        """The largest magnitude."""
        return float(self.values.abs().max())

    @property
    def cut(self) -> float:
        """The share of the colours' numbers that is cut."""
        return clipped_share(self.values)


def grey(pixels: Tensor) -> Tensor:
    """The mean of the three colours, 0..1: [1,H,W] of uint8 [3,H,W]."""
    return unit(pixels).mean(0, keepdim=True)


def response(pixels: Tensor, kernel: Kernel) -> Tensor:
    """What a kernel answers to the grey photo, [H',W']. Raises `ValueError` if it is too small."""
    weights = kernel.weights.float()[None, None]
    return convolve(grey(pixels), weights, Window((kernel.side, kernel.side)))[0]


def through(pixels: Tensor, view: PhotoView) -> Filtered:
    """The photo through the chosen kernel: in grey where signs matter, else colour by colour."""
    if misfit := view.window.misfit((pixels.shape[1], pixels.shape[2])):
        raise BadRequest(misfit.replace(", or more padding", ""))
    if view.signed:
        return Filtered(response(pixels, view.made), True)
    each = torch.eye(3)[:, :, None, None] * view.made.weights.float()
    return Filtered(convolve(unit(pixels), each, view.window), False)


def placed(asked: LabQuery, view: PhotoView, size: tuple[int, int]) -> PhotoView:
    """The view with its pixel, the middle where none is named. Raises `BadRequest`."""
    rows, columns = size
    y = asked.whole("y", -1, -1, rows - 1, "The pixel’s row", f"0 to {rows - 1}")
    x = asked.whole("x", -1, -1, columns - 1, "The pixel’s column", f"0 to {columns - 1}")
    return replace(view, y=y, x=x)


def pixel(view: PhotoView, size: tuple[int, int]) -> tuple[int, int]:
    """Row and column that are looked at, in a result of `size`."""
    y, x = view.y, view.x
    return (y if y >= 0 else size[0] // 2, x if x >= 0 else size[1] // 2)


def cell_of(pixels: Tensor, view: PhotoView, at: tuple[int, int]) -> ConvCell:
    """The arithmetic of one pixel of the result, in grey."""
    inputs, kernel = grey(pixels), view.made.weights.float()[None]
    patch = view.window.patch(inputs, *at)
    value = float((patch.double() * kernel.double()).sum())
    return conv_cell(view.window, inputs, kernel, 0.0, value, at)
