"""A photo and a custom kernel: parsed from the URL, validated and computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from app.errors import BadRequest
from app.pictures.filtered_photo import clipped_png, clipped_share, signed_png
from app.pictures.preprocess import unit
from app.pictures.samples import all_samples
from app.vision.arithmetic.convolution import ConvCell, conv_cell, convolve
from app.vision.preset_kernels import PRESET_KERNELS, Kernel, preset_kernel
from app.vision.window import Window
from app.web.core.url_view import UrlView
from app.web.lab.lab_query import LabQuery, Numbers, resquared, side_of

SIDE = 320
"""Longer side of a downscaled photo, pixels, so that convolution is instant."""

OWN = "own"
Shown = Literal["fitting", "colours", "signed"]
SHOWN: tuple[Shown, ...] = ("fitting", "colours", "signed")


class PhotoView(UrlView):
    """What is on screen, all of it in the URL.

    `kernel` is a preset, or `own` with its numbers `k`, each divided by `by`; `filter` is a learned
    one, the closest if it is negative; `y`, `x` is a pixel of the result, by default its centre.
    """

    page: ClassVar[str] = "/lab/photo"

    image: str = Field(default_factory=lambda: all_samples()[0].id)
    kernel: str = "sobel-x"
    k: Numbers = ()
    by: int = 1
    show: str = "fitting"
    filter: int = -1
    y: int = -1
    x: int = -1

    @property
    def made(self) -> Kernel:
        """The kernel's numbers."""
        known = preset_kernel(self.kernel)
        return known or Kernel(OWN, "Your own", "Your own kernel.", self.k, self.by)

    @property
    def signed(self) -> bool:
        """Whether the result is a signed map."""
        if self.show == "fitting":
            return abs(sum(self.made.numbers)) < 1e-6
        return self.show == "signed"

    @property
    def window(self) -> Window:
        """The kernel's window, without padding."""
        return Window((self.made.side, self.made.side))


PLAIN = PhotoView()


def read(query: LabQuery, image: str) -> PhotoView:
    """The view of a request, without its pixel. Raises `BadRequest`."""
    kernel = query.choice(
        "kernel", [*(one.id for one in PRESET_KERNELS), OWN], "The kernel", PLAIN.kernel
    )
    start = preset_kernel(kernel) or PRESET_KERNELS[0]
    numbers = query.numbers("k", start.numbers, "The kernel")
    old = side_of(numbers, 3, 5, "The kernel")
    side = query.whole("size", old, 3, 5, "Your kernel’s side", "3 or 5")
    if 4 in (old, side):
        raise BadRequest("Your kernel has 3 by 3 or 5 by 5 numbers, so that it has a middle.")
    numbers = resquared(numbers, side, centred=True)
    by = query.whole("by", int(start.by), 1, 1000, "What the numbers are divided by")
    show = query.choice("show", SHOWN, "The way to show it")
    view = PhotoView(
        image=image,
        filter=query.whole("filter", -1, -1, 9999, "The learned filter", "a number from 0"),
        show=show,
    )
    same = [one.id for one in PRESET_KERNELS if (one.numbers, one.by) == (numbers, by)]
    if same:
        return view.changed(kernel=same[0])
    return view.changed(kernel=OWN, k=numbers, by=by)


@dataclass(frozen=True, slots=True)
class Filtered:
    """A filtered photo: colours [3,H,W], clipped for the screen, or a signed map [H,W]."""

    values: Tensor
    signed: bool

    def png(self) -> bytes:
        """The result as a picture."""
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
        """The share of colour values that are clipped."""
        return clipped_share(self.values)


def grey(pixels: Tensor) -> Tensor:
    """The mean of the three colours, 0..1: [1,H,W] of uint8 [3,H,W]."""
    return unit(pixels).mean(0, keepdim=True)


def response(pixels: Tensor, kernel: Kernel) -> Tensor:
    """A kernel's response to the grey photo, [H',W']. Raises `ValueError` if it is too small."""
    weights = kernel.weights.float()[None, None]
    return convolve(grey(pixels), weights, Window((kernel.side, kernel.side)))[0]


def through(pixels: Tensor, view: PhotoView) -> Filtered:
    """The filtered photo: in grey if the result is signed, else colour by colour."""
    if misfit := view.window.misfit((pixels.shape[1], pixels.shape[2])):
        raise BadRequest(misfit.replace(", or more padding", ""))
    if view.signed:
        return Filtered(response(pixels, view.made), True)
    each = torch.eye(3)[:, :, None, None] * view.made.weights.float()
    return Filtered(convolve(unit(pixels), each, view.window), False)


def placed(query: LabQuery, view: PhotoView, size: tuple[int, int]) -> PhotoView:
    """The view with its pixel, by default the centre. Raises `BadRequest`."""
    rows, columns = size
    y = query.whole("y", -1, -1, rows - 1, "The pixel’s row", f"0 to {rows - 1}")
    x = query.whole("x", -1, -1, columns - 1, "The pixel’s column", f"0 to {columns - 1}")
    return view.changed(y=y, x=x)


def pixel(view: PhotoView, size: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the selected pixel in a result of `size`."""
    y, x = view.y, view.x
    return (y if y >= 0 else size[0] // 2, x if x >= 0 else size[1] // 2)


def cell_of(pixels: Tensor, view: PhotoView, at: tuple[int, int]) -> ConvCell:
    """The arithmetic of one pixel of the result, in grey."""
    inputs, kernel = grey(pixels), view.made.weights.float()[None]
    patch = view.window.patch(inputs, *at)
    value = float((patch.double() * kernel.double()).sum())
    return conv_cell(view.window, inputs, kernel, 0.0, value, at)
