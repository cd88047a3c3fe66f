"""A photo changed before the network gets it: where its pixels go, and what lies at the edges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from PIL import Image

from app.pictures.photo_changes import PhotoChange, ScaledPhoto, transform_photo
from app.pictures.preprocess import Preprocess, fit
from app.pictures.samples import sample
from app.pictures.single_transformations import brightness, colour, contrast, to_image

PREP = Preprocess(64, 64, (0.5,) * 3, (0.5,) * 3)
WIDE = Preprocess(256, 224, (0.5,) * 3, (0.5,) * 3)


def coffee() -> Image.Image:
    made = sample("coffee")
    assert made
    return made.open()


@pytest.mark.parametrize("prep", [PREP, WIDE])
@pytest.mark.parametrize("size", [(600, 400), (64, 64), (224, 224), (40, 900), (5, 7)])
def test_no_change_is_the_usual_input_byte_for_byte(
    prep: Preprocess, size: tuple[int, int]
) -> None:
    image = coffee().resize(size)
    assert transform_photo(ScaledPhoto(image, prep), PhotoChange()).equal(fit(image, prep).pixels)
    assert transform_photo(ScaledPhoto(image, prep), PhotoChange(turn=360)).equal(
        fit(image, prep).pixels
    )


def square() -> Image.Image:
    """64 by 64, exactly as the network wants it, and of four colours."""
    pixels = torch.zeros(3, 64, 64, dtype=torch.uint8)
    pixels[0, :32, :32] = 200  # red at the upper left
    pixels[1, :32, 32:] = 200  # green at the upper right
    pixels[2, 32:, 32:] = 200  # blue at the lower right
    return to_image(pixels)


def test_turning_is_clockwise_and_a_quarter_is_exact() -> None:
    usual = fit(square(), PREP).pixels
    for quarters in (1, 2, 3):
        turned = transform_photo(ScaledPhoto(square(), PREP), PhotoChange(turn=90 * quarters))
        assert turned.equal(usual.rot90(-quarters, (1, 2)))
    assert transform_photo(ScaledPhoto(square(), PREP), PhotoChange(turn=-90)).equal(
        usual.rot90(1, (1, 2))
    )


def test_beyond_the_edge_lies_the_mirror_image_or_black() -> None:
    photo = ScaledPhoto(Image.new("RGB", (64, 64), (90, 90, 90)), PREP)
    assert set(transform_photo(photo, PhotoChange(turn=45)).flatten().tolist()) == {90}
    black = transform_photo(photo, PhotoChange(turn=45, mirrored=False))
    assert black[:, [0, 0, -1, -1], [0, -1, 0, -1]].max() == 0
    assert black[0, 32, 32] == 90
    # Where the photo goes on beyond the crop, the photo itself is seen.
    long = ScaledPhoto(Image.new("RGB", (300, 64), (90, 90, 90)), PREP)
    sides = transform_photo(long, PhotoChange(turn=20, mirrored=False))
    assert sides[0, 32].tolist() == [90] * 64


def test_zooming_keeps_the_middle_and_its_detail() -> None:
    zoomed = transform_photo(ScaledPhoto(square(), PREP), PhotoChange(zoom=200))
    # Nearest to the corners of the middle 32 x 32.
    assert zoomed[:, 0, 0].tolist() == [200, 0, 0]
    assert zoomed[:, -1, -1].tolist() == [0, 0, 200]
    usual = fit(square(), PREP).pixels
    assert not zoomed.equal(usual)
    # A large photo is cut before it is scaled down: stripes of two pixels are still seen.
    stripes = Image.new("RGB", (256, 256))
    stripes.putdata([(255 * (x // 2 % 2),) * 3 for _ in range(256) for x in range(256)])
    near = transform_photo(ScaledPhoto(stripes, PREP), PhotoChange(zoom=400))
    assert int(near.max()) == 255 and int(near.min()) == 0
    assert fit(stripes, PREP).pixels.float().std() < 10


def test_a_very_long_photo_is_turned_without_scaling_all_of_it() -> None:
    turned = transform_photo(
        ScaledPhoto(Image.new("RGB", (200_000, 2), (9, 8, 7)), PREP), PhotoChange(turn=33)
    )
    assert turned.shape == (3, 64, 64)
    assert turned[:, 32, 32].tolist() == [9, 8, 7]


def test_changes_come_in_their_order() -> None:
    photo = ScaledPhoto(coffee(), PREP)
    everything = PhotoChange(turn=10, zoom=120, brightness=150, contrast=150, colour=50, flip=True)
    pixels = transform_photo(photo, everything)
    geometry = transform_photo(photo, PhotoChange(turn=10, zoom=120)).flip(2)
    assert pixels.equal(brightness(contrast(colour(geometry, 50), 150), 150))
    assert not pixels.equal(contrast(brightness(colour(geometry, 50), 150), 150))
    assert transform_photo(photo, replace(everything, flip=False)).shape == pixels.shape


def test_a_photo_is_scaled_once_for_many_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, calls, real = ScaledPhoto(coffee(), PREP), [], Image.Image.resize

    def counted(image: Image.Image, *given: Any, **named: Any) -> Image.Image:
        calls.append(image.size)
        return real(image, *given, **named)

    monkeypatch.setattr(Image.Image, "resize", counted)
    for turn in (10, 20, 30):
        transform_photo(photo, PhotoChange(turn=turn))
    assert len(calls) == 1
