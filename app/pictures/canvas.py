"""How does the project draw its own sample pictures? A small anti-aliased, deterministic canvas.

Everything is painted four times as large and averaged down, so that edges are smooth. Coordinates
run from 0 to 256, x to the right and y down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 256
_FINE = 4
_LARGE = (SIDE * _FINE, SIDE * _FINE)

Rgb = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Glow:
    """A radial gradient: colours at distances 0..1 of `radius` from (x, y)."""

    x: float
    y: float
    radius: float
    stops: tuple[tuple[float, Rgb], ...]


Paint = Rgb | Glow


class Canvas:
    """A square picture to draw on."""

    def __init__(self, top: Rgb, bottom: Rgb | None = None) -> None:
        down = Image.linear_gradient("L").resize(_LARGE)
        self._image = Image.composite(
            Image.new("RGB", _LARGE, bottom or top), Image.new("RGB", _LARGE, top), down
        )

    def ellipse(self, x: float, y: float, rx: float, ry: float, paint: Paint) -> None:
        """Fill the ellipse around (x, y)."""
        box = _scaled([(x - rx, y - ry), (x + rx, y + ry)])
        self._fill(lambda pen: pen.ellipse(box, fill=255), paint)

    def polygon(self, points: Sequence[Point], paint: Paint, blur: float = 0) -> None:
        """Fill a polygon, its edge softened by `blur` pixels."""
        self._fill(lambda pen: pen.polygon(_scaled(points), fill=255), paint, blur)

    def line(self, points: Sequence[Point], width: float, paint: Paint, blur: float = 0) -> None:
        """Draw a line with round ends through the points."""
        self._fill(lambda pen: _round_line(pen, points, width), paint, blur)

    def box(
        self, x: float, y: float, x2: float, y2: float, paint: Paint, round_: float = 0
    ) -> None:
        """Fill a rectangle whose corners are rounded by `round_` pixels."""
        corners = _scaled([(x, y), (x2, y2)])
        self._fill(lambda pen: pen.rounded_rectangle(corners, round_ * _FINE, fill=255), paint)

    def shadow(self, x: float, y: float, rx: float, ry: float) -> None:
        """Draw the shadow of an object."""
        box = _scaled([(x - rx, y - ry), (x + rx, y + ry)])
        self._fill(lambda pen: pen.ellipse(box, fill=102), (0, 0, 0), blur=8)

    def picture(self) -> Image.Image:
        """The finished picture, 256 x 256 RGB."""
        return self._image.reduce(_FINE)

    def _fill(
        self, draw: Callable[[ImageDraw.ImageDraw], None], paint: Paint, blur: float = 0
    ) -> None:
        mask = Image.new("L", _LARGE)
        draw(ImageDraw.Draw(mask))
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * _FINE))
        self._image.paste(_gradient(paint) if isinstance(paint, Glow) else paint, mask=mask)


def circle(
    x: float, y: float, rx: float, ry: float, start: float = 0, turn: float = 2 * pi
) -> list[Point]:
    """Points on an ellipse, clockwise from angle `start` in radians, 0 being to the right."""
    angles = [start + turn * k / 64 for k in range(65)]
    return [(x + rx * cos(angle), y + ry * sin(angle)) for angle in angles]


def smooth(*points: Point) -> list[Point]:
    """A smooth curve through the points (Catmull-Rom spline)."""
    padded = (points[0], *points, points[-1])
    curve = []
    for i in range(len(points) - 1):
        p = padded[i : i + 4]
        curve += [_between(p, step / 16) for step in range(16)]
    return [*curve, points[-1]]


def mirrored(points: Sequence[Point]) -> list[Point]:
    """Mirror the points left to right."""
    return [(SIDE - x, y) for x, y in points]


def _between(p: Sequence[Point], t: float) -> Point:
    weights = (
        (-t + 2 * t**2 - t**3) / 2,
        (2 - 5 * t**2 + 3 * t**3) / 2,
        (t + 4 * t**2 - 3 * t**3) / 2,
        (t**3 - t**2) / 2,
    )
    x, y = (sum(w * q[axis] for w, q in zip(weights, p, strict=True)) for axis in (0, 1))
    return x, y


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * _FINE, y * _FINE) for x, y in points]


def _round_line(pen: ImageDraw.ImageDraw, points: Sequence[Point], width: float) -> None:
    large = _scaled(points)
    radius = width * _FINE / 2
    pen.line(large, fill=255, width=round(width * _FINE), joint="curve")
    for x, y in (large[0], large[-1]):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def _gradient(glow: Glow) -> Image.Image:
    places = np.arange(SIDE * _FINE, dtype=np.float32) / _FINE
    distance = np.hypot(places[None, :] - glow.x, places[:, None] - glow.y) / glow.radius
    levels = Image.fromarray((distance.clip(0, 1) * 255).astype(np.uint8))
    return Image.merge("RGB", [levels.point(_table(glow, channel)) for channel in range(3)])


def _table(glow: Glow, channel: int) -> list[int]:
    return [round(_value(glow.stops, i / 255, channel)) for i in range(256)]


def _value(stops: tuple[tuple[float, Rgb], ...], t: float, channel: int) -> float:
    for (t0, low), (t1, high) in pairwise(stops):
        if t <= t1:
            return low[channel] + (high[channel] - low[channel]) * (t - t0) / (t1 - t0)
    return stops[-1][1][channel]
