"""Files with so many parts that decoding them takes minutes are refused before it begins."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from app.errors import BrokenPicture, PictureTooLarge
from app.pictures.decode import LONGEST, decode
from app.pictures.file_parts import BLOCKS, CHUNKS, PADDING, SCANS, SEGMENTS, check_parts
from tests.support.picture_files import chunk


def jpeg(**options: object) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((320, 240), 60).convert("RGB").save(file, "JPEG", **options)
    return file.getvalue()


def scans(count: int) -> bytes:
    """A progressive JPEG whose last scan stands there `count` times."""
    data = jpeg(progressive=True)
    at = data.rfind(b"\xff\xda")
    return data[:at] + (data[at:-2]) * count + b"\xff\xd9"


def png(width: int, height: int, more: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\1" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def webp(count: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "WEBP")
    body = file.getvalue()[12:] + (b"XXXX" + struct.pack("<I", 0)) * count
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def before_the_frame(junk: bytes) -> bytes:
    """A GIF with blocks without data, or stray bytes, which a decoder goes through one by one."""
    file = io.BytesIO()
    Image.new("P", (8, 8)).save(file, "GIF")
    whole = file.getvalue()
    start = whole.index(b",", 13)
    return whole[:start] + junk + whole[start:]


def gif(blocks: int) -> bytes:
    file = io.BytesIO()
    Image.new("P", (8, 8)).save(file, "GIF")
    data = file.getvalue()
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    return data[:at] + b"\x21\xfe" + b"\1a" * blocks + b"\0" + data[at:]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (scans(SCANS + 1), "scans"),
        (jpeg()[:2] + b"\xff" * (PADDING + 10) + jpeg()[2:], "bytes of padding"),
        (jpeg()[:2] + b"\xff\xe0\0\2" * SEGMENTS + jpeg()[2:], "segments"),
        (png(8, 8, chunk(b"tEXt", b"a\0b") * CHUNKS), "chunks"),
        (webp(CHUNKS + 1), "chunks"),
        (gif(BLOCKS + 1), "blocks"),
        (before_the_frame(b"!\xfe\0" * (BLOCKS + 1)), "blocks"),
        (before_the_frame(bytes(BLOCKS + 1)), "blocks"),
    ],
)
def test_a_file_with_very_many_parts_is_refused_and_told_which(data: bytes, words: str) -> None:
    with pytest.raises(BrokenPicture, match=words) as caught:
        decode(data)
    assert "is odd" in caught.value.detail


@pytest.mark.parametrize(
    "data",
    [
        jpeg(),
        jpeg(progressive=True, quality=95),
        jpeg(restart_marker_blocks=1),
        jpeg(icc_profile=b"p" * 300_000, exif=b"Exif\0\0" + b"e" * 60_000, comment=b"c" * 60_000),
        jpeg() + b"\xff\xe0\0\2" * 10_000,
        scans(SCANS // 2),
        png(8, 8, chunk(b"tEXt", b"a\0b") * 500),
        webp(500),
        gif(20_000),
    ],
)
def test_usual_files_and_what_follows_their_end_are_none_of_its_business(data: bytes) -> None:
    assert decode(data).width in (8, 320)


@pytest.mark.parametrize("size", [(1, LONGEST + 1), (LONGEST + 1, 1)])
def test_a_very_long_side_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(PictureTooLarge, match=r"20,001.*no side may have more than 20,000"):
        decode(png(*size))
    assert decode(png(LONGEST, 1)).width == LONGEST


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_file_cut_anywhere_is_left_to_its_decoder(kind: str) -> None:
    made = {"JPEG": jpeg(progressive=True), "PNG": png(8, 8), "WEBP": webp(3), "GIF": gif(3)}
    for end in range(0, len(made[kind]), 1 + len(made[kind]) // 200):
        check_parts(made[kind][:end] if end else made[kind], kind)
