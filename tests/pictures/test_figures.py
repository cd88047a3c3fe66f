"""Pictures with captions, and a heat map over a picture."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image

from app.pictures.figures import (
    SIDE,
    CaptionedFigure,
    coloured,
    figures_png,
    heat_over,
    plain_picture,
)
from app.pictures.palettes import ZERO_COLOUR, palette


def test_a_map_is_drawn_in_the_colours_of_its_values() -> None:
    image = np.asarray(coloured(torch.tensor([[0.0, 1.0], [-1.0, 0.5]]), 1.0))
    colours = np.frombuffer(palette("signed"), np.uint8).reshape(256, 3)
    assert tuple(image[0, 0]) == ZERO_COLOUR
    assert (image[0, 1] == colours[255]).all()
    assert (image[1, 0] == colours[1]).all()


def test_figures_stand_side_by_side_with_words_below() -> None:
    one = CaptionedFigure(Image.new("RGB", (4, 4), "red"), "a caption that is told")
    png = figures_png("A title", [one, one], ["A line."])
    with Image.open(io.BytesIO(png)) as image:
        assert image.width > 2 * SIDE
        assert image.height > SIDE
        found = np.asarray(image)
    red = (found == (255, 0, 0)).all(2)
    assert red.sum() == 2 * SIDE * SIDE
    below = np.flatnonzero(red.any(1))[-1] + 1
    assert (found[below:] < 128).any()


def test_heat_is_light_where_it_lies_and_leaves_the_rest() -> None:
    pixels = torch.full((3, 8, 8), 100, dtype=torch.uint8)
    grid = torch.tensor([[1.0]])
    image = np.asarray(heat_over(pixels, grid, (4, 0, 4, 4), 1.0))
    side = image.shape[0]
    assert image[: side // 2 - 2, side // 2 + 2 :].min() > image[side // 2 + 2 :].max()
    assert (image[side // 2 + 2 :, : side // 2] == 45).all()
    assert plain_picture(pixels).getpixel((0, 0)) == (100, 100, 100)
