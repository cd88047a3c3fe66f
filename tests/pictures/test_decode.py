import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, JpegImagePlugin

from app.errors import BrokenPicture, PictureError, PictureTooLarge
from app.pictures import decode as module
from app.pictures.decode import NOTE_FIRST_FRAME, NOTE_UPRIGHT, decode
from tests.support.picture_files import animation_webp, chunk, corners, quarters, save, written_png

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_a_lossless_file_gives_its_very_pixels(format: str) -> None:
    options = {"lossless": True} if format == "WEBP" else {}
    picture = decode(save(quarters(), format, **options))
    assert (picture.width, picture.height, picture.format) == (16, 8, format)
    assert picture.image.mode == "RGB"
    assert picture.image.tobytes() == quarters().tobytes()
    assert picture.notes == ()


def test_a_jpeg_is_decoded_at_full_size_as_pillow_does() -> None:
    data = save(quarters().resize((640, 320)), "JPEG", quality=90)
    with Image.open(BytesIO(data)) as expected:
        assert decode(data).image.tobytes() == expected.convert("RGB").tobytes()
    assert decode(data).image.size == (640, 320)


# What each EXIF orientation means: where the stored corners (top left, top right, bottom left,
# bottom right = red, green, blue, white) belong.
TURNED = {
    1: [RED, GREEN, BLUE, WHITE],
    2: [GREEN, RED, WHITE, BLUE],
    3: [WHITE, BLUE, GREEN, RED],
    4: [BLUE, WHITE, RED, GREEN],
    5: [RED, BLUE, GREEN, WHITE],
    6: [BLUE, RED, WHITE, GREEN],
    7: [WHITE, GREEN, BLUE, RED],
    8: [GREEN, WHITE, RED, BLUE],
}


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", TURNED)
def test_every_exif_orientation_is_turned_upright(orientation: int, format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, object] = {}
    if format == "JPEG":
        options = {"quality": 100, "subsampling": 0}
    picture = decode(save(quarters().resize((64, 32), 0), format, exif=exif, **options))
    assert picture.image.size == ((64, 32) if orientation < 5 else (32, 64))
    assert (picture.width, picture.height) == picture.image.size
    assert np.abs(np.subtract(corners(picture.image), TURNED[orientation])).max() <= 3
    assert (NOTE_UPRIGHT in picture.notes) == (orientation != 1)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert decode(save(quarters(), "PNG", exif=exif)).image.tobytes() == quarters().tobytes()


# Pillow itself warns when it opens such a JPEG.
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"]
)
def test_broken_exif_is_no_reason_to_refuse_a_photo(exif: bytes) -> None:
    assert decode(save(quarters(), "JPEG", exif=exif)).image.size == (16, 8)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_exif_that_is_none_at_all_is_passed_over(format: str) -> None:
    picture = decode(save(quarters(), format, exif=b"no EXIF whatever"))
    assert (picture.image.size, picture.notes) == ((16, 8), ())


def test_nothing_but_pixels_is_left_of_the_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret"
    data = save(quarters(), "PNG", exif=exif, dpi=(72, 72), icc_profile=b"profile")
    image = decode(data).image
    assert (image.info, dict(image.getexif())) == ({}, {})
    assert b"secret" in data
    assert b"secret" not in save(image, "PNG")


def test_a_colour_profile_is_dropped_and_the_values_stay() -> None:
    data = save(quarters(), "PNG", icc_profile=b"not even a real profile")
    assert decode(data).image.tobytes() == quarters().tobytes()


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(format: str) -> None:
    options = {"lossless": True} if format == "WEBP" else {}
    frames = [Image.new("RGB", (4, 4), "blue"), Image.new("RGB", (4, 4), "lime")]
    data = save(
        Image.new("RGB", (4, 4), "red"), format, save_all=True, append_images=frames, **options
    )
    picture = decode(data)
    assert corners(picture.image) == [RED] * 4
    assert picture.notes == (NOTE_FIRST_FRAME,)


def test_a_phone_jpeg_with_a_second_picture_inside_is_a_jpeg() -> None:
    second = Image.new("RGB", (16, 8), "lime")
    data = save(Image.new("RGB", (16, 8), "red"), "MPO", save_all=True, append_images=[second])
    picture = decode(data)
    assert picture.format == "JPEG"
    assert np.abs(np.subtract(corners(picture.image), [RED] * 4)).max() <= 2


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.8])
def test_a_truncated_file_is_broken(format: str, part: float) -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = save(noise, format)
    with pytest.raises(BrokenPicture, match="damaged or cut off"):
        decode(data[: int(len(data) * part)])


@pytest.mark.parametrize(
    "start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF89a", b"RIFF\0\0\0\0WEBP"]
)
def test_a_file_that_is_only_a_signature_is_broken(start: bytes) -> None:
    for data in (start, start + b"\0" * 40, start + b"\xff" * 40):
        with pytest.raises((BrokenPicture, PictureTooLarge)):
            decode(data)


def test_a_png_with_a_wrong_checksum_is_broken() -> None:
    data = bytearray(save(quarters(), "PNG"))
    data[data.index(b"IHDR") + 4 + 13] ^= 0xFF
    with pytest.raises(BrokenPicture):
        decode(bytes(data))


def no_pixels(*_: object) -> None:
    raise AssertionError("pixels were decoded")


def header_only(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)


@pytest.mark.parametrize(
    "data",
    [
        written_png(40000, 40000, depth=8, colour=2, rows=b"\0"),
        header_only(40000, 40000),
        animation_webp(40000, 40000),
        b"GIF89a" + struct.pack("<HH", 40000, 40000) + b"\0\0\0;",
    ],
    ids=["png", "png-header", "webp", "gif"],
)
def test_a_bomb_is_refused_before_a_decoder_sees_it(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BytesIO", no_pixels)
    with pytest.raises(PictureTooLarge, match="40000 × 40000, that is 1,600 million pixels"):
        decode(data)


def test_a_jpeg_bomb_is_refused_before_its_pixels_are_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = bytearray(save(quarters(), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 60000, 50000)
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", no_pixels)
    with pytest.raises(PictureTooLarge, match="50000 × 60000"):
        decode(bytes(data))


def test_a_gif_frame_that_exceeds_its_canvas_is_refused_by_the_frame() -> None:
    data = bytearray(save(quarters(), "GIF"))
    at = data.index(b",\0\0\0\0") + 5
    data[at : at + 4] = struct.pack("<HH", 60000, 60000)
    with warnings.catch_warnings(), pytest.raises(PictureTooLarge, match="is too big"):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        decode(bytes(data))


def test_the_limit_itself_is_allowed() -> None:
    data = save(quarters(), "PNG")
    assert decode(data, max_pixels=128).width == 16
    with pytest.raises(PictureTooLarge, match="16 × 8"):
        decode(data, max_pixels=127)


def test_a_little_too_much_does_not_read_as_the_limit() -> None:
    with pytest.raises(PictureTooLarge, match="is 25.1 million pixels. At most 25 million"):
        decode(header_only(5001, 5001))


def test_pillows_own_limit_and_the_warning_filters_stay_as_they_are() -> None:
    before = (Image.MAX_IMAGE_PIXELS, list(warnings.filters))
    decode(save(quarters(), "JPEG"))
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before
    assert Image.MAX_IMAGE_PIXELS is not None


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0)])
def test_a_picture_without_area_is_broken(width: int, height: int) -> None:
    with pytest.raises(BrokenPicture, match=f"{width} × {height}"):
        decode(written_png(width, height, depth=8, colour=2, rows=b"\0"))


def test_extreme_shapes_are_pictures() -> None:
    for size in ((1, 1), (20_000, 1), (1, 20_000)):
        assert decode(save(Image.new("RGB", size), "PNG")).image.size == size


def test_many_threads_get_the_same_picture() -> None:
    data = save(quarters(), "PNG")
    with ThreadPoolExecutor(8) as pool:
        pictures = list(pool.map(decode, [data] * 64))
    assert {picture.image.tobytes() for picture in pictures} == {quarters().tobytes()}


FILES = [
    save(quarters().resize((40, 40)), "PNG"),
    save(quarters("P"), "PNG"),
    save(quarters().resize((40, 40)), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0"),
    save(quarters().resize((40, 40)), "WEBP"),
    save(quarters(), "GIF", save_all=True, append_images=[quarters().rotate(180)]),
]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_damaged_file_gives_a_picture_or_a_sentence_never_another_error(
    data: bytes, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(data)
    for at, value in changes:
        damaged[at % len(damaged)] = value
    try:
        assert decode(bytes(damaged), max_pixels=100_000).image.mode == "RGB"
    except PictureError as error:
        assert error.detail.endswith(".")
