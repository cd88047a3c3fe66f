"""What happens to pictures, number by number on tiny ones."""

from __future__ import annotations

from io import BytesIO
from math import exp

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from app.pictures import single_transformations
from app.pictures.samples import sample
from app.pictures.single_transformations import (
    blur,
    brightness,
    colour,
    contrast,
    crop,
    flip,
    jpeg,
    resize,
    to_image,
    to_pixels,
)


def tiny(*rows: list[int]) -> Tensor:
    """The same small map in all three colours."""
    return torch.tensor(rows, dtype=torch.uint8).expand(3, -1, -1).contiguous()


def noisy(side: int = 20) -> Tensor:
    made = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (3, side, side), generator=made, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("name", "neutral"),
    [("brightness", 100), ("contrast", 100), ("colour", 100), ("blur", 0), ("resize", 100),
     ("crop", 100)],
)  # fmt: skip
def test_the_neutral_strength_gives_the_same_bytes(name: str, neutral: float) -> None:
    pixels = noisy()
    assert getattr(single_transformations, name)(pixels, neutral).equal(pixels)


def test_flipping_exchanges_left_and_right_and_twice_is_nothing() -> None:
    assert flip(tiny([1, 2, 3], [4, 5, 6])).equal(tiny([3, 2, 1], [6, 5, 4]))
    assert flip(flip(noisy())).equal(noisy())


def test_brightness_multiplies_rounds_halves_up_and_cuts_at_white() -> None:
    assert brightness(tiny([0, 1, 3, 100, 255]), 150)[0, 0].tolist() == [0, 2, 5, 150, 255]
    assert brightness(tiny([0, 1, 3, 100, 255]), 50)[0, 0].tolist() == [0, 1, 2, 50, 128]
    assert int(brightness(noisy(), 0).max()) == 0


def test_contrast_stretches_about_the_middle_grey() -> None:
    assert contrast(tiny([0, 100, 128, 129, 200]), 200)[0, 0].tolist() == [0, 72, 128, 130, 255]
    assert contrast(tiny([0, 100, 128, 129, 200]), 50)[0, 0].tolist() == [64, 114, 128, 129, 164]
    assert set(contrast(noisy(), 0).flatten().tolist()) == {128}


def test_colour_mixes_with_the_grey_that_people_see() -> None:
    pixel = torch.tensor([[[200]], [[100]], [[50]]], dtype=torch.uint8)
    # 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
    assert colour(pixel, 0).flatten().tolist() == [124, 124, 124]
    assert colour(pixel, 50).flatten().tolist() == [162, 112, 87]
    grey = tiny([0, 77, 255])
    assert all(colour(grey, strength).equal(grey) for strength in (0, 30, 100))


def test_blur_is_a_gaussian_whose_edges_are_repeated() -> None:
    dot = torch.zeros(3, 9, 9, dtype=torch.uint8)
    dot[:, 4, 4] = 255
    weights = np.array([exp(-(i**2) / 2) for i in range(-3, 4)])
    weights /= weights.sum()
    expected = np.zeros((9, 9))
    expected[1:8, 1:8] = 255 * np.outer(weights, weights)
    assert blur(dot, 1)[0].tolist() == np.floor(expected + 0.5).astype(int).tolist()
    flat = torch.full((3, 5, 5), 93, dtype=torch.uint8)
    assert blur(flat, 2.5).equal(flat)
    # In a row of 10 and 20 the border of repeated edges keeps either side's level far away.
    edge = tiny(*[[10] * 12 + [20] * 12] * 6)
    assert blur(edge, 1)[0, 0, [0, 11, 12, 23]].tolist() == [10, 13, 17, 20]


def test_resize_goes_down_and_up_as_the_preprocessing_scales() -> None:
    pixels = noisy(8)
    image = to_image(pixels).resize((4, 4), Image.Resampling.BILINEAR)
    assert resize(pixels, 50).equal(to_pixels(image.resize((8, 8), Image.Resampling.BILINEAR)))
    one = resize(pixels, 1)  # one pixel is left
    assert one.equal(one[:, :1, :1].expand(3, 8, 8))


def test_crop_keeps_the_centre_and_enlarges_it() -> None:
    pixels = tiny(*[[0, 0, 0, 0], [0, 9, 9, 0], [0, 9, 9, 0], [0, 0, 0, 0]])
    assert set(crop(pixels, 50).flatten().tolist()) == {9}
    assert crop(noisy(), 80).shape == (3, 20, 20)
    assert not crop(noisy(), 80).equal(noisy())


def test_jpeg_is_what_opening_the_saved_file_gives() -> None:
    made = sample("coffee")
    assert made
    pixels = to_pixels(made.open().resize((32, 32)))
    for quality in (90, 10):
        file = BytesIO()
        to_image(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
        again = to_pixels(Image.open(BytesIO(file.getvalue())).convert("RGB"))
        assert jpeg(pixels, quality).equal(again)
    off = [(jpeg(pixels, q).float() - pixels.float()).abs().mean() for q in (95, 50, 5)]
    assert off == sorted(off)


def test_pictures_go_to_pillow_and_back() -> None:
    pixels = torch.arange(18, dtype=torch.uint8).view(3, 2, 3)
    assert to_image(pixels).size == (3, 2)
    assert to_image(pixels).getpixel((1, 0)) == (1, 7, 13)
    assert to_pixels(to_image(pixels)).equal(pixels)
