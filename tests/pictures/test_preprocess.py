import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.pictures.decode import decode
from app.pictures.preprocess import (
    Fitted,
    Preprocess,
    centre_box,
    fit,
    input_png,
    normalise,
    resize_part,
    resized_size,
    unit,
)

MINI = Preprocess(64, 64, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LARGE = Preprocess(256, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def photo(width: int, height: int) -> Image.Image:
    """Waves and some noise."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(x / a + y / b) for a, b in ((9, 31), (23, -7), (5, 5))]
    noise = np.random.default_rng(0).normal(0, 9, (height, width, 3))
    return Image.fromarray((np.stack(waves, -1) + noise).clip(0, 255).astype(np.uint8))


def torchvision_way(image: Image.Image, prep: Preprocess) -> np.ndarray:
    """Resize and CenterCrop written out as torchvision 0.2x has them."""
    w, h = image.size
    short, long = (w, h) if w <= h else (h, w)
    new_short, new_long = prep.resize, int(prep.resize * long / short)
    new_w, new_h = (new_short, new_long) if w <= h else (new_long, new_short)
    resized = image.resize((new_w, new_h), Image.Resampling.BILINEAR)
    top = int(round((new_h - prep.crop) / 2.0))
    left = int(round((new_w - prep.crop) / 2.0))
    return np.array(resized.crop((left, top, left + prep.crop, top + prep.crop)))


@pytest.mark.parametrize("prep", [MINI, LARGE], ids=["mini", "large"])
@pytest.mark.parametrize(
    "size", [(500, 375), (375, 500), (65, 64), (300, 301), (40, 30), (999, 256)]
)
def test_pixels_are_torchvisions(size: tuple[int, int], prep: Preprocess) -> None:
    image = photo(*size)
    pixels = fit(image, prep).pixels
    assert (pixels.dtype, tuple(pixels.shape)) == (torch.uint8, (3, prep.crop, prep.crop))
    assert pixels.is_contiguous()
    assert np.array_equal(pixels.permute(1, 2, 0).numpy(), torchvision_way(image, prep))


def test_the_long_side_is_rounded_down_and_halves_of_the_crop_to_even() -> None:
    # 64 * 500 / 375 = 85.33; 256 * 500 / 375 = 341.33
    assert resized_size((500, 375), 64) == (85, 64)
    assert resized_size((375, 500), 256) == (256, 341)
    # (85 - 64) / 2 = 10.5 -> 10; (87 - 64) / 2 = 11.5 -> 12; (341 - 224) / 2 = 58.5 -> 58
    assert centre_box((85, 64), 64) == (10, 0, 74, 64)
    assert centre_box((87, 64), 64) == (12, 0, 76, 64)
    assert centre_box((256, 341), 224) == (16, 58, 240, 282)


@pytest.mark.parametrize("prep", [MINI, LARGE], ids=["mini", "large"])
def test_a_picture_of_the_networks_size_goes_in_pixel_for_pixel(prep: Preprocess) -> None:
    image = photo(prep.crop, prep.crop)
    fitted = fit(image, prep)
    assert fitted.untouched
    assert np.array_equal(fitted.pixels.permute(1, 2, 0).numpy(), np.array(image))
    assert (fitted.resized, fitted.crop) == (image.size, (0, 0, prep.crop, prep.crop))


def test_the_input_as_png_goes_in_again_untouched() -> None:
    pixels = fit(photo(120, 90), MINI).pixels
    again = fit(decode(input_png(pixels)).image, MINI)
    assert again.untouched
    assert torch.equal(again.pixels, pixels)


@settings(max_examples=60, deadline=None)
@given(st.integers(20, 700), st.integers(20, 700), st.sampled_from([MINI, LARGE]))
def test_the_part_alone_agrees_with_the_whole(width: int, height: int, prep: Preprocess) -> None:
    image = photo(width, height)
    resized = resized_size(image.size, prep.resize)
    part = np.asarray(resize_part(image, resized, centre_box(resized, prep.crop)))
    assert np.abs(part.astype(int) - torchvision_way(image, prep)).max() <= 1


@pytest.mark.parametrize("size", [(3000, 2), (2, 3000), (4000, 300), (900, 100), (64, 6400)])
def test_long_photos_agree_with_the_whole(size: tuple[int, int]) -> None:
    pixels = fit(photo(*size), MINI).pixels.permute(1, 2, 0).numpy().astype(int)
    assert np.abs(pixels - torchvision_way(photo(*size), MINI)).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 25_000), (25_000_000, 1), (1, 25_000_000)])
@pytest.mark.parametrize("prep", [MINI, LARGE], ids=["mini", "large"])
def test_extreme_shapes_take_little_time(size: tuple[int, int], prep: Preprocess) -> None:
    image = Image.new("RGB", size, (10, 20, 30))
    start = time.process_time()
    fitted = fit(image, prep)
    assert time.process_time() - start < 2
    assert [set(channel.flatten().tolist()) for channel in fitted.pixels] == [{10}, {20}, {30}]


def test_the_middle_of_a_very_long_photo_is_found_exactly() -> None:
    # Beyond 8,388,608 a 32-bit float holds no halves. One photo pixel is 64 resized ones wide.
    image = Image.new("RGB", (24_000_001, 1))
    image.putpixel((12_000_000, 0), (255, 255, 255))
    fitted = fit(image, MINI)
    assert fitted.to_photo(32, 32)[0] == pytest.approx(12_000_000.5, abs=1 / 64)
    row = fitted.pixels[0, 32].tolist()
    assert row.index(max(row)) in (31, 32)
    assert row == pytest.approx(row[::-1], abs=8)


def test_input_points_lead_back_to_the_photo() -> None:
    fitted = fit(photo(500, 375), MINI)
    # 85 x 64, cut at left 10: (0 + 10) * 500 / 85 = 58.82
    assert fitted.to_photo(0, 0) == pytest.approx((58.8235, 0), abs=1e-3)
    assert fitted.to_photo(64, 64) == pytest.approx((74 * 500 / 85, 375), abs=1e-3)
    assert fit(photo(64, 64), MINI).to_photo(3.5, 9) == (3.5, 9)


def test_a_dot_is_found_where_to_photo_says() -> None:
    image = Image.new("RGB", (640, 480))
    image.paste("white", (400, 100, 412, 112))
    fitted = fit(image, MINI)
    y, x = divmod(int(fitted.pixels[0].argmax()), 64)
    found = fitted.to_photo(x + 0.5, y + 0.5)
    assert found == pytest.approx((406, 106), abs=480 / 64)


@pytest.mark.parametrize(
    ("size", "prep", "words"),
    [
        ((400, 300), MINI, "Your 400×300 photo was scaled to 85×64 and its centre 64×64 was kept."),
        ((512, 512), MINI, "Your 512×512 photo was scaled to 64×64."),
        ((64, 64), MINI, "Your 64×64 picture went in as it is, pixel for pixel."),
        ((20, 10), MINI, "Your 20×10 photo was enlarged to 128×64 and its centre 64×64 was kept."),
        ((256, 256), LARGE, "The centre 224×224 of your 256×256 photo was kept."),
    ],
)
def test_the_sentence_says_what_was_done(
    size: tuple[int, int], prep: Preprocess, words: str
) -> None:
    assert fit(Image.new("RGB", size), prep).sentence() == words


def test_the_sentence_of_a_phone_photo() -> None:
    fitted = Fitted(torch.zeros(0), (4032, 3024), (85, 64), (10, 0, 74, 64), False)
    assert fitted.sentence() == (
        "Your 4032×3024 photo was scaled to 85×64 and its centre 64×64 was kept."
    )


def test_numbers_of_the_normalisation_by_hand() -> None:
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1)
    prep = Preprocess(1, 1, (0.5, 0.1, 0.25), (0.25, 0.5, 0.5))
    # (0 - 0.5) / 0.25; (0.2 - 0.1) / 0.5; (1 - 0.25) / 0.5
    assert unit(pixels).flatten().tolist() == pytest.approx([0, 0.2, 1])
    assert normalise(pixels, prep).flatten().tolist() == pytest.approx([-2, 0.2, 1.5])
    assert pixels.flatten().tolist() == [0, 51, 255]


def test_a_batch_is_normalised_as_its_pictures_are() -> None:
    batch = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    values = normalise(batch, MINI)
    assert values.dtype == torch.float32
    assert torch.equal(values, torch.stack([normalise(one, MINI) for one in batch]))
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MINI.mean, MINI.std))
    assert torch.equal(values, (batch.float() / 255 - mean) / std)
