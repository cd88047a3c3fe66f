"""The photo with an overlay, and how long a link to it stays valid."""

from __future__ import annotations

import time
from dataclasses import dataclass

from app.errors import UnknownPicture
from app.pictures.preprocess import Fitted
from app.pictures.samples import sample
from app.services.runs.run import Run
from app.vision.geometry import Geometry
from app.web.core.links import View, preview_url
from app.web.core.state import Services


@dataclass(frozen=True, slots=True)
class PhotoOverlay:
    """The photo with an overlay, as SVG."""

    place: str  # of the input on it, as an SVG transform
    crop: str  # the part that is used, as a viewBox
    size: tuple[int, int]  # width and height, pixels
    url: str  # of a small copy


PREVIEW = 512
"""Length of the photo's longer side in the left pane, pixels."""


def crop_box(fitted: Fitted) -> tuple[float, float, float, float]:
    """The part of the photo that the network sees: x, y, width, height in photo pixels."""
    side_x = fitted.crop[2] - fitted.crop[0]
    side_y = fitted.crop[3] - fitted.crop[1]
    left, top = fitted.to_photo(0, 0)
    right, bottom = fitted.to_photo(side_x, side_y)
    return left, top, right - left, bottom - top


def place(run: Run) -> str:
    """The SVG transform from input pixels to photo pixels."""
    left, top, width, _ = crop_box(run.fitted)
    return f"translate({left:g} {top:g}) scale({width / run.model.outline.input_size:g})"


def photo(view: View, run: Run) -> PhotoOverlay:
    """The photo, cropped to what the network sees, for an overlay."""
    left, top, width, height = crop_box(run.fitted)
    return PhotoOverlay(
        place(run),
        f"{left:g} {top:g} {width:g} {height:g}",
        run.fitted.photo,
        preview_url(view.image, PREVIEW),
    )


def in_words(seconds: float) -> str:
    """A time in the future, roughly: `in 23 hours`, `in 40 minutes`."""
    if seconds >= 2 * 3600:
        return f"in {round(seconds / 3600)} hours"
    if seconds >= 120:
        return f"in {round(seconds / 60)} minutes"
    return "in a moment"


def link_expires(view: View, services: Services) -> str:
    """How long a link to this view stays valid."""
    if sample(view.image):
        return "This link shows a built-in picture and does not expire."
    try:
        expires = services.pictures.find(view.image, "").expires
    except UnknownPicture:
        return "This picture is no longer here."
    left = in_words(expires - time.time())
    return f"This link shows an uploaded picture, which is deleted {left}; the link ends with it."


def frame(where: Geometry) -> tuple[float, float, float, float]:
    """Where a map lies on the input so that each cell is centred on its receptive field."""
    (x, width), (y, height) = (
        (axis.start + (axis.size - axis.jump) / 2, axis.jump * axis.cells)
        for axis in (where.columns, where.rows)
    )
    return x, y, width, height
