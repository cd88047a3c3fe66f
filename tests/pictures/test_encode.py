from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from app.pictures.decode import decode
from app.pictures.encode import encode_png, preview
from tests.support.picture_files import pixel, quarters


def opened(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as image:
        image.load()
        return image


def test_png_keeps_every_pixel() -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (31, 17, 3), dtype=np.uint8))
    assert decode(encode_png(image)).image.tobytes() == image.tobytes()


def test_png_carries_no_profile() -> None:
    image = quarters()
    image.info["icc_profile"] = b"somebody's"
    assert b"iCCP" not in encode_png(image)


def test_flat_drawings_stay_small() -> None:
    assert len(encode_png(Image.new("RGB", (500, 375), "red"))) < 10_000


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 300), (100, 75)), ((300, 400), (75, 100)), ((20, 10), (20, 10)), ((5000, 2), (100, 1))],
)
def test_a_preview_fits_the_side_and_is_never_enlarged(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert opened(preview(Image.new("RGB", size, "teal"), 100)).size == expected


def test_a_preview_shows_the_picture() -> None:
    small = opened(preview(quarters().resize((640, 320), 0), 64)).convert("RGB")
    seen = [pixel(small, xy) for xy in ((8, 8), (56, 8), (8, 24), (56, 24))]
    expected = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
    assert np.abs(np.subtract(seen, expected)).max() <= 12


def test_a_preview_leaves_the_picture_as_it_is() -> None:
    image = quarters()
    preview(image, 4)
    assert image.tobytes() == quarters().tobytes()
