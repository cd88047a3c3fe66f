import struct

import pytest
from PIL import Image

from app.pictures.decode import decode
from app.pictures.rgb import NOTE_CMYK, NOTE_DEEP, NOTE_GREY, NOTE_WHITE
from tests.support.picture_files import corners, pixel, quarters, save, written_png

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def test_transparent_parts_of_rgba_are_put_on_white() -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    image.putpixel((1, 0), (255, 0, 0, 51))  # a fifth of red on four fifths of white
    picture = decode(save(image, "PNG"))
    assert [pixel(picture.image, (x, 0)) for x in (0, 1)] == [RED, (255, 204, 204)]
    assert picture.notes == (NOTE_WHITE,)


def test_an_alpha_channel_that_hides_nothing_is_not_mentioned() -> None:
    picture = decode(save(quarters("RGBA"), "PNG"))
    assert picture.image.tobytes() == quarters().tobytes()
    assert picture.notes == ()


def test_transparent_parts_of_grey_are_put_on_white() -> None:
    picture = decode(save(Image.new("LA", (1, 1), (0, 51)), "PNG"))
    assert pixel(picture.image, (0, 0)) == (204, 204, 204)
    assert picture.notes == (NOTE_GREY, NOTE_WHITE)


def test_a_palette_with_transparency_is_put_on_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    picture = decode(save(image, "PNG", transparency=b"\xff\x00"))
    assert [pixel(picture.image, (x, 0)) for x in (0, 1)] == [RED, WHITE]
    assert picture.notes == (NOTE_WHITE,)


def test_one_transparent_colour_of_rgb_is_put_on_white() -> None:
    picture = decode(save(quarters(), "PNG", transparency=BLUE))
    assert corners(picture.image) == [RED, GREEN, WHITE, WHITE]


def test_a_transparent_gif_is_put_on_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    picture = decode(save(image, "GIF", transparency=1))
    assert [pixel(picture.image, (x, 0)) for x in (0, 1)] == [RED, WHITE]


def test_a_transparent_webp_is_put_on_white() -> None:
    picture = decode(save(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "WEBP", lossless=True))
    assert corners(picture.image) == [WHITE] * 4
    assert picture.notes == (NOTE_WHITE,)


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    rows = b"\0" + struct.pack(">4H", 0, 257, 32768, 65535)
    picture = decode(written_png(4, 1, depth=16, colour=0, rows=rows))
    # 65535 / 255 = 257 to a level; 32768 / 257 = 127.502
    assert [pixel(picture.image, (x, 0)) for x in range(4)] == [(v,) * 3 for v in (0, 1, 128, 255)]
    assert picture.notes == (NOTE_GREY, NOTE_DEEP)


def test_a_transparent_16_bit_grey_is_told_before_it_is_scaled() -> None:
    rows = b"\0" + struct.pack(">2H", 1000, 1001)
    data = written_png(
        2, 1, depth=16, colour=0, rows=rows, more=((b"tRNS", struct.pack(">H", 1000)),)
    )
    picture = decode(data)
    assert [pixel(picture.image, (x, 0)) for x in (0, 1)] == [WHITE, (3, 3, 3)]
    assert NOTE_WHITE in picture.notes


def test_16_bit_colour_is_reduced_and_said() -> None:
    rows = b"\0" + struct.pack(">3H", 0, 32896, 65535)
    picture = decode(written_png(1, 1, depth=16, colour=2, rows=rows))
    assert pixel(picture.image, (0, 0)) == (0, 128, 255)
    assert picture.notes == (NOTE_DEEP,)


@pytest.mark.parametrize(("mode", "value"), [("1", 1), ("L", 255)])
def test_grey_is_copied_into_three_channels(mode: str, value: int) -> None:
    image = Image.new(mode, (9, 2))
    image.putpixel((8, 1), value)
    picture = decode(save(image, "PNG"))
    assert corners(picture.image) == [(0, 0, 0)] * 3 + [WHITE]
    assert picture.notes == (NOTE_GREY,)


def test_a_grey_jpeg_is_grey() -> None:
    picture = decode(save(Image.new("L", (8, 8), 77), "JPEG", quality=100))
    assert corners(picture.image) == [(77, 77, 77)] * 4


def without_segment(jpeg: bytes, marker: int) -> bytes:
    at = jpeg.index(bytes((0xFF, marker)))
    return jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big") :]


@pytest.mark.parametrize("adobe", [True, False])
def test_a_cmyk_jpeg_is_not_inverted(adobe: bool) -> None:
    # Cyan ink alone absorbs red. Adobe writes inks inverted, and so does whoever omits its marker.
    data = save(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG", quality=100)
    assert b"Adobe" in data
    picture = decode(data if adobe else without_segment(data, 0xEE))
    assert corners(picture.image) == [(0, 255, 255)] * 4
    assert picture.notes == (NOTE_CMYK,)
