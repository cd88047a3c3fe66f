"""Transformations of a photo before it becomes the network's input: rotate, zoom, flip, colours."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, sqrt

import numpy as np
from PIL import Image
from torch import Tensor

from app.pictures.preprocess import Preprocess, centre_box, fit, resized_size
from app.pictures.single_transformations import brightness, colour, contrast, flip, to_pixels

LONGEST = 4
"""Largest aspect ratio of a photo that is used: the rest can never be seen in the square."""


@dataclass(frozen=True, slots=True)
class PhotoChange:
    """The transformations of a photo; the defaults change nothing.

    `turn` is in degrees clockwise, `zoom`, `brightness`, `contrast`, `colour` in per cent of the
    original; with `mirrored` its mirror image lies beyond the photo's edge, otherwise black.
    """

    turn: float = 0
    zoom: float = 100
    brightness: float = 100
    contrast: float = 100
    colour: float = 100
    flip: bool = False
    mirrored: bool = True


@dataclass(frozen=True, slots=True)
class ScaledPhoto:
    """A photo and how it becomes the network's input; caches the scaled photo of the last zoom."""

    image: Image.Image
    prep: Preprocess
    _scaled: dict[float, Image.Image] = field(default_factory=dict, repr=False, compare=False)

    def scaled(self, percent: float) -> Image.Image:
        """Its centre, enlarged to `percent`, at the size that the whole photo is scaled to."""
        if percent not in self._scaled:
            self._scaled.clear()
            self._scaled[percent] = _zoomed(_middle(self.image), percent, self.prep)
        return self._scaled[percent]


def transform_photo(photo: ScaledPhoto, change: PhotoChange) -> Tensor:
    """Transform a photo; returns the network's input, uint8 [3,S,S].

    In this order: zoom (crop the centre while scaling), rotation about the centre (bilinear), crop
    to S x S, flip, colour, contrast, brightness. Without a change the result equals `fit`'s, byte
    for byte.
    """
    pixels = _placed(photo, change)
    if change.flip:
        pixels = flip(pixels)
    pixels = colour(pixels, change.colour)
    pixels = contrast(pixels, change.contrast)
    return brightness(pixels, change.brightness)


def _placed(photo: ScaledPhoto, change: PhotoChange) -> Tensor:
    """Zoom and rotate."""
    if change.zoom == 100 and not change.turn % 360:
        return fit(photo.image, photo.prep).pixels
    return to_pixels(_turned(photo.scaled(change.zoom), change, photo.prep.crop))


def _middle(image: Image.Image) -> Image.Image:
    """The photo, or the middle of a very long one: no rotation shows more of it."""
    width, height = image.size
    most = LONGEST * min(width, height)
    if max(width, height) <= most:
        return image
    left, top = (max(0, (n - most) // 2) for n in (width, height))
    return image.crop((left, top, width - left, height - top))


def _zoomed(image: Image.Image, percent: float, prep: Preprocess) -> Image.Image:
    """Scale the photo's centre to the size that the whole photo is scaled to."""
    width, height = image.size
    untouched = image.size == (prep.crop, prep.crop)
    size = image.size if untouched else resized_size(image.size, prep.resize)
    kept_x, kept_y = (n * 100 / percent for n in (width, height))
    left, top = (width - kept_x) / 2, (height - kept_y) / 2
    box = (left, top, left + kept_x, top + kept_y)
    return image.resize(size, Image.Resampling.BILINEAR, box=box)


def _turned(image: Image.Image, change: PhotoChange, side: int) -> Image.Image:
    """Rotate about the centre and crop to the middle `side` x `side`."""
    box = centre_box(image.size, side)
    if not change.turn % 360:
        return image.crop(box)
    # The distance of the square's corners from its centre, and a margin for the filter.
    reach = ceil(side * sqrt(2) / 2) + 2
    around = [max(0, reach - n // 2) for n in image.size]
    mode = "symmetric" if change.mirrored else "constant"
    edge = ((around[1],) * 2, (around[0],) * 2, (0, 0))
    wide = Image.fromarray(np.pad(np.asarray(image), edge, mode=mode))  # type: ignore[call-overload]
    turned = wide.rotate(-change.turn, Image.Resampling.BILINEAR)
    left, top = around[0] + box[0], around[1] + box[1]
    return turned.crop((left, top, left + side, top + side))
