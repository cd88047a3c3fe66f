from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.errors import NotAPicture
from app.pictures.file_kinds import picture_kind
from tests.support.picture_files import quarters, save

STRANGERS = [
    (b"", "empty"),
    (b"Dear diary,\nna\xc3\xafve caf\xc3\xa9\n", "text"),
    ("Grüße".encode("utf-16"), "text"),
    (b"\x7fELF\x02\x01\x01" + b"\0" * 40, "program"),
    (b"MZ\x90\0\x03" + b"\0" * 40, "program"),
    (b'<?xml version="1.0"?>\n<!-- cat -->\n<svg xmlns="x"></svg>', "SVG"),
    (b"\n <!DOCTYPE html><html><body><svg></svg></body></html>", "web page"),
    (b"<HTML><body>hello", "web page"),
    (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "raw photo"),
    (b"\xff\x0a\xfa\x7f", "JPEG XL"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\x04CgBI", "Apple packs it"),
    (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video"),
    (b"PK\x03\x04\x14\0", "ZIP"),
    (b"\x93NUMPY\x01\0v\0", "not a picture that is read here"),
    (b"\x00\x01\x02\x03", "not a picture that is read here"),
]


@pytest.mark.parametrize(("data", "words"), STRANGERS, ids=[words for _, words in STRANGERS])
def test_a_stranger_is_named(data: bytes, words: str) -> None:
    with pytest.raises(NotAPicture, match=words):
        picture_kind(data)


def test_every_refusal_says_what_to_do() -> None:
    for data, _ in STRANGERS:
        with pytest.raises(NotAPicture) as caught:
            picture_kind(data)
        detail = caught.value.detail
        assert detail.endswith(".")
        assert any(
            word in detail for word in ("choose", "screenshot", "save", "Export", "export")
        ), detail


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "AVIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
    ],
)
def test_a_picture_in_boxes_is_told_by_its_brands(data: bytes, kind: str) -> None:
    assert picture_kind(data) == kind


@pytest.mark.parametrize("format", ["TIFF", "BMP", "ICO", "JPEG2000"])
def test_pictures_of_other_formats_are_named_as_such(format: str) -> None:
    with pytest.raises(NotAPicture, match="which is not read here"):
        picture_kind(save(quarters().resize((32, 32)), format))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_four_formats_are_told_by_their_bytes(format: str) -> None:
    assert picture_kind(save(quarters(), format)) == format


@given(st.binary(max_size=64))
def test_any_bytes_give_a_kind_or_a_sentence(data: bytes) -> None:
    try:
        assert picture_kind(data) in ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "HEIC")
    except NotAPicture as error:
        assert error.detail


def test_text_cut_inside_a_character_is_still_text() -> None:
    with pytest.raises(NotAPicture, match="text"):
        picture_kind(b"x" + "é".encode() * 4096)


def test_the_test_files_are_what_they_say() -> None:
    with Image.open(BytesIO(save(quarters(), "GIF"))) as image:
        assert image.format == "GIF"
