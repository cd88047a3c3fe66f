from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from app.errors import BadRequest
from app.pictures.palettes import (
    PALETTE_NAMES,
    ZERO_COLOUR,
    PaletteName,
    legend_png,
    oklab,
    palette,
)

# Machado, Oliveira and Fernandes, 2009: what protanopes and deuteranopes see, in linear RGB.
BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def colours(name: PaletteName) -> list[tuple[int, int, int]]:
    data = palette(name)
    assert len(data) == 768
    return [(data[i], data[i + 1], data[i + 2]) for i in range(0, 768, 3)]


def lightness(name: PaletteName) -> list[float]:
    return [oklab(colour)[0] for colour in colours(name)]


def seen_by(matrix: list[list[float]], colour: tuple[int, int, int]) -> np.ndarray:
    c = np.array(colour) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    out = np.clip(np.array(matrix) @ linear, 0, 1)
    srgb = np.where(out <= 0.0031308, out * 12.92, 1.055 * out ** (1 / 2.4) - 0.055)
    r, g, b = (round(v * 255) for v in srgb)
    return np.array(oklab((r, g, b)))


def test_oklab_of_white_black_and_red_is_the_published_one() -> None:
    assert oklab((255, 255, 255)) == pytest.approx((1, 0, 0), abs=1e-3)
    assert oklab((0, 0, 0)) == pytest.approx((0, 0, 0), abs=1e-3)
    assert oklab((255, 0, 0)) == pytest.approx((0.628, 0.225, 0.126), abs=1e-3)


@pytest.mark.parametrize("name", PALETTE_NAMES)
def test_zero_has_one_colour_everywhere(name: PaletteName) -> None:
    assert colours(name)[128] == ZERO_COLOUR
    assert max(ZERO_COLOUR) < 24


@pytest.mark.parametrize("name", ["signed", "logit"])
def test_lightness_rises_from_zero_to_both_ends(name: PaletteName) -> None:
    values = lightness(name)
    assert all(a < b for a, b in pairwise(values[128:]))
    assert all(a > b for a, b in pairwise(values[1:129]))
    assert min(values[1], values[255]) > 0.9


@pytest.mark.parametrize("name", ["signed", "logit"])
def test_equal_magnitudes_are_equally_light(name: PaletteName) -> None:
    values = lightness(name)
    assert max(abs(values[128 + i] - values[128 - i]) for i in range(128)) < 0.005


def test_index_0_repeats_index_1() -> None:
    assert all(colours(name)[0] == colours(name)[1] for name in PALETTE_NAMES)


def test_nonnegative_is_signed_with_the_negatives_gone_dark() -> None:
    assert colours("nonnegative")[:129] == [ZERO_COLOUR] * 129
    assert colours("nonnegative")[129:] == colours("signed")[129:]


def test_positive_and_negative_are_warm_and_cold_green_and_violet() -> None:
    for index in (160, 192, 224):
        red, green, blue = colours("signed")[index]
        assert red > green > blue
        red, green, blue = colours("signed")[256 - index]
        assert blue > green > red
        red, green, blue = colours("logit")[index]
        assert green > max(red, blue)
        red, green, blue = colours("logit")[256 - index]
        assert blue > red > green


@pytest.mark.parametrize("name", ["signed", "logit"])
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_signs_stay_apart_for_colour_blind_eyes(name: PaletteName, blindness: str) -> None:
    all_colours, matrix = colours(name), BLINDNESS[blindness]
    for step in (24, 48, 64, 96, 127):
        positive, negative = (seen_by(matrix, all_colours[128 + s * step]) for s in (1, -1))
        assert np.linalg.norm(positive - negative) > 0.05, step


def test_all_ends_are_distinct() -> None:
    ends = [colours(name)[i] for name in ("signed", "logit") for i in (1, 255)]
    for i, one in enumerate(ends):
        for other in ends[:i]:
            assert np.linalg.norm(np.subtract(oklab(one), oklab(other))) > 0.04


@pytest.mark.parametrize(("name", "first"), [("signed", 1), ("nonnegative", 128), ("logit", 1)])
def test_the_legend_runs_from_the_lowest_colour_to_the_highest(
    name: PaletteName, first: int
) -> None:
    with Image.open(BytesIO(legend_png(name))) as strip:
        rgb = strip.convert("RGB")
    assert rgb.size == (256 - first, 1)
    assert [rgb.getpixel((x, 0)) for x in range(rgb.width)] == colours(name)[first:]


def test_an_unknown_palette_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(BadRequest, match="signed, nonnegative, logit"):
        palette("rainbow")
