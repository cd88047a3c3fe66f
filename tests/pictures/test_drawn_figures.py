from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from app.pictures import drawn_figures, drawn_things
from app.pictures.canvas import Canvas, Glow, mirrored, smooth
from tests.support.picture_files import pixel


def test_the_checkerboard_has_eight_crisp_squares() -> None:
    board = np.array(drawn_figures.checkerboard())
    assert np.unique(board).tolist() == [0, 255]
    assert board.mean() == 127.5
    assert board[31, 31, 0] != board[31, 32, 0]
    assert board[31, 31, 0] == board[32, 32, 0]


def test_the_gratings_have_the_four_stated_periods() -> None:
    grey = np.array(drawn_figures.gratings().convert("L")).astype(float)
    for quarter, along, period in ((grey[:128, :128], 1, 32), (grey[128:, :128], 0, 8)):
        line = quarter.mean(axis=1 - along)
        strongest = np.abs(np.fft.rfft(line - line.mean())).argmax()
        assert 128 / strongest == period


def test_noise_uses_all_values_about_equally() -> None:
    values = np.array(drawn_figures.noise())
    assert np.unique(values).size == 256
    assert abs(values.mean() - 127.5) < 1


def test_the_colour_wheel_is_white_in_the_middle_and_coloured_at_the_rim() -> None:
    wheel = drawn_figures.colour_wheel()
    assert min(pixel(wheel, (128, 128))) > 245
    assert pixel(wheel, (0, 0)) == (255, 255, 255)
    red, green, blue = pixel(wheel, (245, 128))
    assert red == 255
    assert green < 30 > blue


def test_o_is_hollow_and_x_is_not() -> None:
    assert min(pixel(drawn_figures.ring(), (128, 128))) > 200
    assert max(pixel(drawn_figures.cross(), (128, 128))) < 50


def test_the_sketched_cat_is_a_line_drawing() -> None:
    ink = np.array(drawn_figures.sketch_cat().convert("L")) < 128
    assert 0.02 < ink.mean() < 0.15


@pytest.mark.parametrize(
    ("thing", "at", "expected"),
    [
        (drawn_things.school_bus, (100, 80), (250, 190, 20)),
        (drawn_things.monarch, (70, 85), (240, 125, 20)),
        (drawn_things.lighthouse, (128, 30), (180, 30, 30)),
    ],
)
def test_things_have_their_colour(
    thing: Callable[[], Image.Image], at: tuple[int, int], expected: tuple[int, int, int]
) -> None:
    assert np.abs(np.subtract(pixel(thing(), at), expected)).max() <= 12


def test_a_glow_runs_through_its_colours() -> None:
    canvas = Canvas((0, 0, 0))
    glow = Glow(128, 128, 100, ((0.0, (200, 0, 0)), (0.5, (100, 0, 0)), (1.0, (0, 0, 50))))
    canvas.box(0, 0, 256, 256, glow)
    image = canvas.picture()
    seen = [pixel(image, (128 + r, 128)) for r in (0, 25, 50, 75, 120)]
    expected = [(200, 0, 0), (150, 0, 0), (100, 0, 0), (50, 0, 25), (0, 0, 50)]
    assert np.abs(np.subtract(seen, expected)).max() <= 3


def test_a_curve_goes_through_its_points() -> None:
    points = [(0.0, 0.0), (10.0, 5.0), (20.0, 0.0)]
    curve = smooth(*points)
    assert [curve[0], curve[16], curve[32]] == points
    assert mirrored([(0, 7), (256, 9)]) == [(256, 7), (0, 9)]


def test_edges_are_smooth() -> None:
    canvas = Canvas((0, 0, 0))
    canvas.ellipse(128, 128, 50, 50, (255, 255, 255))
    assert np.unique(np.array(canvas.picture())).size > 8
