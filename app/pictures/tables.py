"""How do tables of numbers become a picture? Titled blocks of coloured cells, side by side."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont

from app.pictures.encode import encode_png

Rgb = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

WIDEST = 1400
"""Width in pixels after which a block starts a new line."""

LEVELS = 6
"""Colours on each side of zero, as on the page."""

_PAPER: Rgb = (255, 255, 255)
_INK: Rgb = (27, 30, 36)
_SOFT: Rgb = (82, 87, 99)
_PLAIN: Rgb = (236, 230, 217)
_WARM: Rgb = (232, 131, 58)
_COOL: Rgb = (90, 155, 224)
_MARGIN, _BETWEEN, _CELL, _GAP, _LINE = 28, 36, 44, 3, 30

# Pillow's own font has no glyph for these.
_PLAINER = str.maketrans(
    {"−": "-", "–": "-", "—": "-", "×": "x", "⌊": "floor(", "⌋": ")", "≤": "<=", "≥": ">=",
     "→": "->", "←": "<-", "²": "^2", "Σ": "sum", "≈": "~", "\u2009": " ", "\u00a0": " "}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """One table: full colour at the magnitude `limit`, default the largest; None is no cell."""

    title: str
    rows: Sequence[Sequence[float | None]]
    limit: float | None = None
    text: Callable[[float], str] | None = None


@dataclass(frozen=True, slots=True)
class _Placed:
    """A block with its position and size, and the size of a cell, in pixels."""

    block: Block
    x: int
    y: int
    width: int
    height: int
    cell: int


def tables_png(title: str, blocks: Sequence[Block], sentence: str = "") -> bytes:
    """Draw blocks under a title, a sentence below them; lines break at about `WIDEST` pixels."""
    placed = _place(blocks)
    heading = wrap_text(title, WIDEST, font(28))
    right = max((one.x + one.width for one in placed), default=0)
    right = max(right, *(_width(line, font(28)) + _MARGIN for line in heading), 640)
    words = wrap_text(sentence, right - _MARGIN, font(20))
    top = _MARGIN + 40 * len(heading)
    bottom = top + max((one.y + one.height for one in placed), default=0) + _BETWEEN
    height = bottom + _LINE * len(words) + (_MARGIN if words else 0)
    image = Image.new("RGB", (right + _MARGIN, height), _PAPER)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(heading):
        draw.text((_MARGIN, _MARGIN - 6 + 40 * i), line, _INK, font(28))
    for one in placed:
        _draw(draw, one, top)
    for i, line in enumerate(words):
        draw.text((_MARGIN, bottom + _LINE * i), line, _INK, font(20))
    return encode_png(image)


def cell_colour(value: float, limit: float) -> Rgb:
    """The fill of a cell: warm above zero, cool below, in `LEVELS` steps up to `limit`."""
    if not value or not limit:
        return _PLAIN
    share = 0.14 * min(LEVELS, max(1, round(LEVELS * abs(value) / limit)))
    towards = _WARM if value > 0 else _COOL
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(_PLAIN, towards, strict=True))
    return red, green, blue


def plain(text: str) -> str:
    """Replace characters that Pillow's own font lacks."""
    return text.translate(_PLAINER)


def _place(blocks: Sequence[Block]) -> list[_Placed]:
    placed: list[_Placed] = []
    x, y, lowest = _MARGIN, 0, 0
    for block in blocks:
        cell = max([_CELL, *(_width(text, font(20)) + 14 for text in _texts(block))])
        columns = max((len(row) for row in block.rows), default=0)
        width = max(columns * (cell + _GAP), _width(block.title, font(20)))
        if x > _MARGIN and x + width > WIDEST - _MARGIN:
            x, y, lowest = _MARGIN, lowest + _BETWEEN, 0
        height = _LINE + 6 + len(block.rows) * (_CELL + _GAP)
        placed.append(_Placed(block, x, y, width, height, cell))
        x, lowest = x + width + _BETWEEN, max(lowest, y + height)
    return placed


def _draw(draw: ImageDraw.ImageDraw, placed: _Placed, top: int) -> None:
    block, y0 = placed.block, top + placed.y
    draw.text((placed.x, y0), plain(block.title), _SOFT, font(20))
    limit = _limit(block)
    for i, row in enumerate(block.rows):
        for j, value in enumerate(row):
            if value is None:
                continue
            left = placed.x + j * (placed.cell + _GAP)
            upper = y0 + _LINE + 6 + i * (_CELL + _GAP)
            box = (left, upper, left + placed.cell - 1, upper + _CELL - 1)
            draw.rounded_rectangle(box, 5, cell_colour(value, limit))
            centre = (left + placed.cell / 2, upper + _CELL / 2)
            draw.text(centre, _text(block, value), _INK, font(20), anchor="mm")


def _limit(block: Block) -> float:
    if block.limit is not None:
        return block.limit
    return max((abs(v) for row in block.rows for v in row if v is not None), default=0.0)


def _texts(block: Block) -> Iterator[str]:
    return (_text(block, value) for row in block.rows for value in row if value is not None)


def _text(block: Block, value: float) -> str:
    return plain(block.text(value) if block.text else f"{value + 0.0:.4g}")


def wrap_text(text: str, width: int, type_: Font) -> list[str]:
    """Wrap text into lines of at most `width` pixels, between words."""
    lines = [plain(text)] if text else []
    characters = max((len(line) for line in lines), default=0)
    while any(_width(line, type_) > width for line in lines) and characters > 8:
        characters -= 1
        lines = wrap(plain(text), characters)
    return lines


def _width(text: str, font: Font) -> int:
    return round(font.getlength(plain(text)))


@cache
def font(size: int) -> Font:
    """Pillow's own font, the same on every computer; `size` in pixels."""
    return ImageFont.load_default(size)
