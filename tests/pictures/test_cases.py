"""Small files as phones, scanners, shops and screenshot programs write them: as browsers show them.

`cases/pictures.csv` says what Chromium shows of each on a white page.
"""

from __future__ import annotations

import csv
import struct
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.errors import BrokenPicture, NotAPicture
from app.pictures.colour_profiles import NOTE_PROFILE
from app.pictures.decode import NOTE_FIRST_FRAME, decode
from app.pictures.rgb import NOTE_WHITE

CASES = Path(__file__).parent / "cases"
ROWS = list(csv.DictReader((CASES / "pictures.csv").read_text("utf-8").splitlines()))

REFUSED = {
    "cgbi.png": "Apple packs it",
    "x.cr3": "raw photo",
    "x.jxl": "JPEG XL",
    "x.heic": "HEIC file is damaged",
    "trunc_20.jpg": "damaged or cut off",
    "trunc_half.jpg": "damaged or cut off",
    # A browser waits for the rest of these and shows what it has; here pixels would be missing.
    "k_cut2.webp": "damaged or cut off",
    "k_cut10.gif": "damaged or cut off",
}
WAITED_FOR = ("trunc_2.jpg", "k_riffsize.webp")
"""Files with all their pixels, of which a browser shows a part while it waits for more."""


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


def whole(data: bytes) -> BytesIO:
    """The file with the end, or the length, that it lacks."""
    if data.startswith(b"RIFF"):
        return BytesIO(b"RIFF" + struct.pack("<I", len(data) - 8) + data[8:])
    return BytesIO(data + b"\xff\xd9")


def limit(name: str) -> int:
    """Grey levels that decoders may differ by."""
    return 6 if name.endswith((".jpg", ".webp", ".avif", ".heic")) else 3 if "p3" in name else 0


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_what_people_have_is_shown_as_a_browser_shows_it(row: dict[str, str]) -> None:
    name, wanted = row["file"], row["pixels"].strip().removeprefix("= ")
    data = (CASES / name).read_bytes()
    if name in REFUSED:
        with pytest.raises((BrokenPicture, NotAPicture), match=REFUSED[name]):
            decode(data)
        return
    found = decode(data).image
    with Image.open(whole(data) if name in WAITED_FOR else CASES / wanted) as shown:
        assert found.size == shown.size
        assert np.abs(pixels(found) - pixels(shown)).max() <= limit(name)


def test_every_case_is_shown_or_refused_on_purpose() -> None:
    listed = {row["file"] for row in ROWS}
    assert listed >= {*REFUSED, *WAITED_FOR} and len(listed) > 50
    assert all((CASES / name).is_file() for name in listed)


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("p3.jpg", NOTE_PROFILE.format(name="Display P3")),
        ("p3.png", NOTE_PROFILE.format(name="Display P3")),
        ("apng.png", NOTE_FIRST_FRAME),
        ("partial.gif", NOTE_WHITE),
        ("outside.gif", NOTE_WHITE),
        ("t16_20000.png", NOTE_WHITE),
        ("trgb16.png", NOTE_WHITE),
    ],
)
def test_what_was_done_to_it_is_said(name: str, note: str) -> None:
    assert note in decode((CASES / name).read_bytes()).notes


def test_a_blemish_that_changes_nothing_needs_no_note() -> None:
    for name in ("crc_text.png", "iccp_broken.png", "k_riffsize.webp", "trunc_2.jpg"):
        assert decode((CASES / name).read_bytes()).notes == ()


def test_a_photo_of_an_iphone_is_read() -> None:
    found = decode((CASES / "base.heic").read_bytes())
    with Image.open(CASES / "base.png") as shown:
        assert found.format == "HEIC" and found.image.size == shown.size
        # HEVC keeps half of the colour's resolution: borders between colours are soft.
        away = np.abs(pixels(found.image) - pixels(shown)).max(axis=2)
        assert np.median(away) <= 3 and (away > 6).mean() < 0.1


def test_without_its_decoder_an_iphone_s_photo_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(NotAPicture, match="Most Compatible"):
        decode((CASES / "base.heic").read_bytes())
