"""Tables of numbers as a picture: something is drawn, in the right colours, not too wide."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageFont

from app.pictures.tables import WIDEST, Block, cell_colour, plain, tables_png


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return image.convert("RGB")


def colours(image: Image.Image) -> set[object]:
    return {colour for _, colour in image.getcolors(1 << 20) or ()}


def test_cells_are_warm_above_zero_cool_below_plain_at_zero() -> None:
    image = opened(tables_png("Row", [Block("input", [[2, -2, 0, None]])]))
    assert image.getpixel((0, 0)) == (255, 255, 255)
    assert {cell_colour(2, 2), cell_colour(-2, 2), cell_colour(0, 2)} <= colours(image)
    red, green, blue = cell_colour(2, 2)
    assert red > green > blue
    red, green, blue = cell_colour(-2, 2)
    assert red < green < blue


def test_colours_end_at_the_limit_and_grow_in_six_steps() -> None:
    assert cell_colour(9, 3) == cell_colour(3, 3)
    assert len({cell_colour(value / 6, 1) for value in range(1, 7)}) == 6
    assert cell_colour(1, 0) == cell_colour(0, 1)
    image = opened(tables_png("t", [Block("b", [[1]], limit=6)]))
    assert cell_colour(1, 6) in colours(image)
    assert cell_colour(1, 1) not in colours(image)


def test_none_is_no_cell() -> None:
    assert cell_colour(0, 1) not in colours(opened(tables_png("t", [Block("b", [[None]])])))


def test_blocks_stand_side_by_side_and_wrap() -> None:
    square = [[float(i) for i in range(9)]] * 9
    one = opened(tables_png("t", [Block("a", square)]))
    two = opened(tables_png("t", [Block("a", square)] * 2))
    six = opened(tables_png("t", [Block("a", square)] * 6))
    assert two.height == one.height
    assert two.width > one.width
    assert six.width <= WIDEST + 30
    assert six.height > 2 * one.height - 100 > one.height


def test_what_is_written_changes_the_picture() -> None:
    block = Block("a", [[1.0]])
    plain_one = tables_png("t", [block])
    assert tables_png("t", [block], "Four times one is four.") != plain_one
    assert tables_png("u", [block]) != plain_one
    assert tables_png("t", [Block("a", [[1.0]], text="{:.2f}".format)]) != plain_one
    assert tables_png("t", [block]) == plain_one


def test_long_sentences_are_broken_not_cut() -> None:
    short = opened(tables_png("t", [Block("a", [[1.0]])], "word " * 5))
    long = opened(tables_png("t", [Block("a", [[1.0]])], "word " * 200))
    assert long.width == short.width <= WIDEST + 30
    assert long.height > short.height + 100


def test_nothing_to_draw_is_drawn() -> None:
    assert opened(tables_png("", [])).width > 0
    assert opened(tables_png("t", [Block("empty", [])])).height > 0


@pytest.mark.parametrize("sign", ["−", "×", "≤", "→", "–", "⌊", "²", "\u2009"])
def test_every_sign_that_we_write_has_a_glyph(sign: str) -> None:
    font = ImageFont.load_default(20)
    missing = bytes(font.getmask("\uffff"))
    assert plain(f"1{sign}2") != f"1{sign}2"
    for letter in plain(sign).strip():
        assert bytes(font.getmask(letter)) != missing, letter
