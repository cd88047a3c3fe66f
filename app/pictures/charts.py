"""How do curves become a line chart? The layout for a page's SVG, and the chart as a PNG."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from PIL import Image, ImageDraw

from app.errors import NotFinite
from app.pictures.encode import encode_png
from app.pictures.tables import font, plain, wrap_text

Point = tuple[float, float]
Rgb = tuple[int, int, int]

LETTER, LINE = 8.4, 18
"""Width of a character and height of a line, in chart units; text is 15 units high."""
_TOP, _RIGHT, _FOOT = 14, 18, 30
_SCALE, _MARGIN = 2, 28
_PAPER: Rgb = (255, 255, 255)
_INK: Rgb = (27, 30, 36)
_SOFT: Rgb = (82, 87, 99)
_FAINT: Rgb = (213, 204, 186)
_COLOURS: dict[str, Rgb] = {
    "attack": (161, 29, 43), "noise": (20, 88, 154), "target": (11, 107, 79)
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChartAxis:
    """One axis of a chart: title and range."""

    title: str
    low: float
    high: float

    def ticks(self, count: int = 5) -> list[float]:
        """Values of `count` + 1 tick marks, evenly from low to high."""
        return [self.low + (self.high - self.low) * i / count for i in range(count + 1)]

    def at(self, value: float, start: float, end: float) -> float:
        """Position of a value between the pixels `start` and `end`."""
        span = (self.high - self.low) or 1.0
        return start + (end - start) * (value - self.low) / span


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """A curve: `role` selects its colour, `spread` is its range as (x, lowest, highest), if any."""

    name: str
    role: str
    points: tuple[Point, ...]
    spread: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ChartMark:
    """A labelled mark on the x axis; `role` as for a series."""

    x: float
    role: str
    words: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """The data of a chart: `x` and `y` are ticks as (value, name), both ascending.

    With `upright` the names on the x axis are vertical; labels of marks run from top to bottom.
    """

    title: str
    x_title: str
    x: tuple[tuple[float, str], ...]
    y: tuple[tuple[float, str], ...]
    series: tuple[ChartSeries, ...]
    marks: tuple[ChartMark, ...] = ()
    upright: bool = False
    room: int = 0
    """Lines of free space above the curves for the labels of marks."""


@dataclass(frozen=True, slots=True)
class ChartCurve:
    """A series in chart units: its `dots`, and the outline of its `spread`."""

    name: str
    role: str
    dots: tuple[Point, ...]
    spread: tuple[Point, ...]

    @property
    def line(self) -> str:
        """The curve as SVG's `points`."""
        return _listed(self.dots)

    @property
    def area(self) -> str:
        """The spread as SVG's `points`."""
        return _listed(self.spread)


@dataclass(frozen=True, slots=True)
class ChartLayout:
    """Positions of a chart's parts from its top left corner; ticks are (position, name)."""

    chart: LineChart
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    x: tuple[tuple[float, str], ...]
    y: tuple[tuple[float, str], ...]
    curves: tuple[ChartCurve, ...]
    marks: tuple[tuple[float, float, str, ChartMark], ...]
    """Position, height of the label, its anchor (`start` or `end`), and the mark."""


def lay_out(chart: LineChart, width: float, height: float = 300) -> ChartLayout:
    """Lay out a chart of `width` units; names that would overlap the one before are omitted.

    Raises `NotFinite` for a point that is nowhere.
    """
    left = 10 + LETTER * max(len(name) for _, name in chart.y)
    tall = LETTER * max(len(name) for _, name in chart.x) + 6 if chart.upright else LINE
    right, bottom, top = width - _RIGHT, height - _FOOT - tall, _TOP + LINE * chart.room
    across, up = (ChartAxis("", ticks[0][0], ticks[-1][0]) for ticks in (chart.x, chart.y))

    def at(x: float, y: float) -> Point:
        if not (isfinite(x) and isfinite(y)):
            raise NotFinite(f"A number of the chart “{chart.title}” is not finite.")
        return round(across.at(x, left, right), 1), round(up.at(y, bottom, top), 1)

    curves = tuple(
        ChartCurve(
            one.name,
            one.role,
            tuple(at(x, y) for x, y in one.points),
            (*(at(x, y) for x, _, y in one.spread), *(at(x, y) for x, y, _ in one.spread[::-1])),
        )
        for one in chart.series
    )
    places = _apart([(at(x, up.low)[0], name) for x, name in chart.x], chart.upright)
    heights = tuple((at(across.low, y)[1], name) for y, name in chart.y)
    marks = tuple(
        (place, _TOP + LINE * (i + 0.5), _side(place, one, right), one)
        for i, one in enumerate(chart.marks)
        for place, _ in [at(one.x, up.low)]
    )
    return ChartLayout(
        chart, width, height, left, right, top, bottom, places, heights, curves, marks
    )


def chart_png(
    title: str, charts: Sequence[LineChart], sentence: str = "", width: int = 640
) -> bytes:
    """Draw charts below each other under a title, each with its legend, a sentence at the end."""
    layouts = [lay_out(chart, width) for chart in charts]
    across = width * _SCALE
    heading, words = wrap_text(title, across, font(34)), wrap_text(sentence, across, font(26))
    top = _MARGIN + 44 * len(heading)
    below = sum(round(one.height * _SCALE) + 84 for one in layouts)
    size = (across + 2 * _MARGIN, top + below + 36 * len(words) + _MARGIN)
    image = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(heading):
        draw.text((_MARGIN, _MARGIN + 44 * i), line, _INK, font(34))
    for one in layouts:
        _draw(image, one, (_MARGIN, top))
        top += round(one.height * _SCALE) + 84
    for i, line in enumerate(words):
        draw.text((_MARGIN, top + 36 * i), line, _INK, font(26))
    return encode_png(image)


def _draw(image: Image.Image, layout: ChartLayout, origin: tuple[int, int]) -> None:
    """Draw one chart with its title and legend, at double size so that text is sharp."""
    draw, small = ImageDraw.Draw(image), font(26)
    draw.text(origin, plain(layout.chart.title), _INK, font(28))
    x = origin[0]
    for curve in layout.curves:
        colour = _COLOURS[curve.role]
        draw.line((x, origin[1] + 56, x + 36, origin[1] + 56), colour, 6)
        draw.text((x + 46, origin[1] + 56), plain(curve.name), colour, small, anchor="lm")
        x += 90 + round(small.getlength(plain(curve.name)))

    def at(point: Point) -> Point:
        return origin[0] + point[0] * _SCALE, origin[1] + 76 + point[1] * _SCALE

    for y, name in layout.y:
        draw.line((*at((layout.left, y)), *at((layout.right, y))), _FAINT, 2)
        draw.text(at((layout.left - 6, y)), plain(name), _SOFT, small, anchor="rm")
    for x_, name in layout.x:
        _name(image, at((x_, layout.bottom + 8)), plain(name), layout.chart.upright)
    draw.text(
        at(((layout.left + layout.right) / 2, layout.height - 14)),
        plain(layout.chart.x_title), _SOFT, small, anchor="mm",
    )  # fmt: skip
    for curve in layout.curves:
        if len(curve.spread) > 2:
            _veil(image, [at(point) for point in curve.spread], _COLOURS[curve.role])
    for curve in layout.curves:
        points = [at(point) for point in curve.dots]
        draw.line(points, _COLOURS[curve.role], 5)
        for px, py in points:
            draw.ellipse((px - 6, py - 6, px + 6, py + 6), _COLOURS[curve.role])
    for place, height, side, mark in layout.marks:
        colour = _COLOURS[mark.role]
        draw.line((*at((place, height - 8)), *at((place, layout.bottom))), colour, 3)
        corner = at((place + (6 if side == "start" else -6), height))
        draw.text(corner, plain(mark.words), colour, small, "lm" if side == "start" else "rm")


def _name(image: Image.Image, at: Point, text: str, upright: bool) -> None:
    """Draw a name below the x axis, centred; an upright one ends there and reads upwards."""
    if not upright:
        ImageDraw.Draw(image).text(at, text, _SOFT, font(26), anchor="ma")
        return
    strip = Image.new("L", (round(font(26).getlength(text)) + 2, 34))
    ImageDraw.Draw(strip).text((0, 17), text, 255, font(26), anchor="lm")
    turned = strip.rotate(90, expand=True)
    image.paste(_SOFT, (round(at[0] - turned.width / 2), round(at[1])), turned)


def _veil(image: Image.Image, outline: list[Point], colour: Rgb) -> None:
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).polygon(outline, fill=56)
    image.paste(colour, mask=mask)


def _apart(places: list[tuple[float, str]], upright: bool) -> tuple[tuple[float, str], ...]:
    """Omit names that overlap the one before; the last name is always there."""
    kept: list[tuple[float, str]] = []
    for place, name in places:
        if not kept or place - kept[-1][0] >= _room(kept[-1][1], name, upright):
            kept.append((place, name))
    if places and kept[-1] != places[-1]:
        while kept and places[-1][0] - kept[-1][0] < _room(kept[-1][1], places[-1][1], upright):
            kept.pop()
        kept.append(places[-1])
    return tuple(kept)


def _room(one: str, other: str, upright: bool) -> float:
    return LINE - 1 if upright else LETTER * (len(one) + len(other)) / 2 + 6


def _side(place: float, mark: ChartMark, right: float) -> str:
    return "start" if place + LETTER * len(mark.words) + 8 < right else "end"


def _listed(points: Sequence[Point]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
