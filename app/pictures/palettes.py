"""Which colour does a value get? Three palettes of 256 entries, index 128 being zero.

Index 129..255 are positive, 127..1 negative (index 0 repeats 1). Within each half OKLab lightness
(Björn Ottosson, 2020, https://bottosson.github.io/posts/oklab/) rises in equal steps from the zero
colour, at the same rate on both sides: equal magnitudes look equally bright, and the hues differ
in the yellow-blue direction that colour-blind eyes keep.
"""

from functools import cache
from io import BytesIO
from itertools import pairwise
from math import cos, radians, sin
from typing import Literal

from PIL import Image

from app.errors import BadRequest

PaletteName = Literal["signed", "nonnegative", "logit"]
Colour = tuple[float, float, float]  # OKLab: lightness 0..1, a, b
Rgb = tuple[int, int, int]

PALETTE_NAMES: tuple[PaletteName, ...] = ("signed", "nonnegative", "logit")
ZERO_INDEX = 128
ZERO_COLOUR: Rgb = (11, 13, 18)  # #0b0d12, nearly the page's own dark
_STEPS = 127
_LIGHTEST = 0.95

# (position from zero to the limit, OKLCH chroma, OKLCH hue in degrees)
_Anchors = tuple[tuple[float, float, float], ...]
_WARM: _Anchors = (
    (0.2, 0.09, 28), (0.45, 0.15, 38), (0.7, 0.165, 60), (0.85, 0.14, 82), (1, 0.065, 90),
)  # fmt: skip
_COLD: _Anchors = (
    (0.2, 0.11, 268), (0.45, 0.16, 260), (0.7, 0.14, 243), (0.85, 0.09, 226), (1, 0.04, 215),
)  # fmt: skip
_GREEN: _Anchors = (
    (0.2, 0.05, 180), (0.45, 0.09, 172), (0.7, 0.13, 162), (0.85, 0.12, 152), (1, 0.07, 145),
)  # fmt: skip
_PLUM: _Anchors = (
    (0.2, 0.12, 300), (0.45, 0.18, 306), (0.7, 0.17, 310), (0.85, 0.1, 312), (1, 0.04, 314),
)  # fmt: skip


@cache
def palette(name: PaletteName) -> bytes:
    """The palette's 256 colours as 768 bytes R, G, B.

    `nonnegative` is `signed` with everything up to zero in the zero colour: a ReLU's sheet is its
    convolution's with the negatives gone dark. Raises BadRequest for another name.
    """
    if name == "signed":
        return _diverging(_COLD, _WARM)
    if name == "nonnegative":
        return bytes(ZERO_COLOUR) * (ZERO_INDEX + 1) + palette("signed")[3 * (ZERO_INDEX + 1) :]
    if name == "logit":
        return _diverging(_PLUM, _GREEN)
    raise BadRequest(f"There is no palette {name!r}; there are {', '.join(PALETTE_NAMES)}.")


@cache
def legend_png(name: PaletteName) -> bytes:
    """A strip one pixel high, from the lowest colour to the highest: index 1 (or 128) to 255."""
    first = ZERO_INDEX if name == "nonnegative" else 1
    strip = Image.frombytes("P", (256 - first, 1), bytes(range(first, 256)))
    strip.putpalette(palette(name))
    file = BytesIO()
    strip.save(file, "PNG")
    return file.getvalue()


def _diverging(negative: _Anchors, positive: _Anchors) -> bytes:
    below = _ramp(negative)[::-1]
    colours = [below[0], *below, ZERO_COLOUR, *_ramp(positive)]
    return bytes(value for colour in colours for value in colour)


def _ramp(anchors: _Anchors) -> list[Rgb]:
    """127 colours from next to zero to the limit."""
    zero = oklab(ZERO_COLOUR)
    places = [(0.0, zero[1], zero[2])] + [(t, *_ab(chroma, hue)) for t, chroma, hue in anchors]
    positions = [step / _STEPS for step in range(1, _STEPS + 1)]
    return [
        _in_gamut((zero[0] + (_LIGHTEST - zero[0]) * t, *_interpolate(places, t)))
        for t in positions
    ]


def _ab(chroma: float, hue: float) -> tuple[float, float]:
    return chroma * cos(radians(hue)), chroma * sin(radians(hue))


def _interpolate(places: list[tuple[float, float, float]], t: float) -> tuple[float, float]:
    for (t0, a0, b0), (t1, a1, b1) in pairwise(places):
        if t <= t1:
            part = (t - t0) / (t1 - t0)
            return a0 + (a1 - a0) * part, b0 + (b1 - b0) * part
    return places[-1][1], places[-1][2]


def _in_gamut(colour: Colour) -> Rgb:
    """Reduce chroma, never lightness, until the colour is in the sRGB gamut."""
    lightness, a, b = colour
    for percent in range(100, -1, -1):
        linear = _linear_rgb((lightness, a * percent / 100, b * percent / 100))
        if all(-1e-6 <= channel <= 1 + 1e-6 for channel in linear):
            break
    red, green, blue = (_to_byte(channel) for channel in linear)
    return red, green, blue


def oklab(colour: Rgb) -> Colour:
    """The OKLab coordinates of an sRGB colour."""
    r, g, b = (_from_byte(channel) for channel in colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _linear_rgb(colour: Colour) -> Colour:
    lightness, a, b = colour
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _from_byte(value: int) -> float:
    """sRGB's transfer function, IEC 61966-2-1."""
    c = value / 255
    return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4


def _to_byte(linear: float) -> int:
    c = min(1.0, max(0.0, linear))
    return round(255 * (c * 12.92 if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055))
