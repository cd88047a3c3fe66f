import pytest
from PIL import Image

from app.pictures.file_headers import stated_size
from tests.support.picture_files import animation_webp, save


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("PNG", {}),
        ("GIF", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"lossless": False}),
        ("WEBP", {"exif": b"Exif\0\0"}),
    ],
    ids=["png", "gif", "webp-lossless", "webp-lossy", "webp-extended"],
)
def test_the_stated_size_is_the_pictures(format: str, options: dict[str, object]) -> None:
    data = save(Image.new("RGB", (301, 203)), format, **options)
    assert stated_size(data, format) == (301, 203)


def test_a_canvas_of_the_largest_webp_is_read() -> None:
    assert stated_size(animation_webp(1 << 24, 1 << 24), "WEBP") == (1 << 24, 1 << 24)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "JPEG"])
def test_a_header_cut_off_states_no_size(kind: str) -> None:
    full = {"PNG": b"\x89PNG\r\n\x1a\n", "GIF": b"GIF89a", "WEBP": animation_webp(5, 5)[:25]}
    assert stated_size(full.get(kind, b"\xff\xd8"), kind) is None
