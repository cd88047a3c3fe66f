"""A histogram of reference scores with the scores of some pictures marked, as a PNG."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from app.pictures.encode import encode_png
from app.pictures.tables import Font, Rgb, font, plain

WIDTH, HEIGHT = 960, 480
MARGIN, TOP, BOTTOM = 40, 96, 120
PAPER: Rgb = (255, 255, 255)
INK: Rgb = (27, 30, 36)
SOFT: Rgb = (82, 87, 99)
BAR: Rgb = (190, 182, 166)
MARKS: tuple[Rgb, ...] = ((20, 88, 154), (156, 63, 6), (82, 87, 99))


def histogram_png(
    title: str,
    counts: Sequence[int],
    ends: tuple[str, str],
    marks: Sequence[tuple[str, float]],
    sentence: str = "",
) -> bytes:
    """Draw bars of `counts` between two `ends`, and `marks` as (name, position in 0..1)."""
    image = Image.new("RGB", (WIDTH, HEIGHT + 30 * len(marks)), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((MARGIN, 20), plain(title), INK, font(28))
    draw.text((MARGIN, 58), plain(sentence), SOFT, font(18))
    floor, tall = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    step, most = (WIDTH - 2 * MARGIN) / len(counts), max(*counts, 1)
    for i, count in enumerate(counts):
        left = MARGIN + i * step
        draw.rectangle((left, floor - tall * count / most, left + step - 2, floor), BAR)
    draw.line((MARGIN, floor, WIDTH - MARGIN, floor), INK, 2)
    draw.text((MARGIN, floor + 8), plain(ends[0]), SOFT, font(18))
    draw.text((WIDTH - MARGIN, floor + 8), plain(ends[1]), SOFT, font(18), anchor="ra")
    for i, (name, place) in enumerate(marks):
        _mark(draw, i, name, MARGIN + place * (WIDTH - 2 * MARGIN), floor, font(20))
    return encode_png(image)


def _mark(
    draw: ImageDraw.ImageDraw, number: int, name: str, x: float, floor: int, text: Font
) -> None:
    colour = MARKS[number % len(MARKS)]
    draw.line((x, TOP, x, floor), colour, 4)
    y = floor + 40 + 30 * number
    draw.rectangle((MARGIN, y + 4, MARGIN + 18, y + 20), colour)
    draw.text((MARGIN + 28, y), plain(name), INK, text)
