"""How do untrusted bytes become a picture safely? Validates size and format before decoding."""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from math import ceil

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from app.errors import BrokenPicture, PictureTooLarge
from app.pictures.colour_profiles import to_srgb
from app.pictures.file_headers import stated_size
from app.pictures.file_kinds import picture_kind
from app.pictures.file_parts import check_parts
from app.pictures.heic import heic
from app.pictures.mended_files import mended, repacked_png
from app.pictures.rgb import NOTE_DEEP, NOTE_WHITE, to_rgb, with_exact_transparency

MAX_PIXELS = 25_000_000
LONGEST = 20_000
"""Longest side, pixels: rows or columns of one pixel take a decoder minutes."""

NOTE_UPRIGHT = "It was turned upright, as the camera noted (EXIF)."
NOTE_FIRST_FRAME = "It is an animation: only its first frame is used."

# The plugin's class is called, not Image.open: Image.open checks the size by a limit and a warning
# that are global to the process (Image.MAX_IMAGE_PIXELS, and filters that threads cannot change
# safely), and opens a phone's JPEG with a second picture inside as another format (MPO).
# The limit here is an argument and is checked before and after opening. Pillow's own stays set.
_OPENERS: dict[str, Callable[[BytesIO], Image.Image]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "HEIC": heic,
}

_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError)

# What Pillow's four plugins raise on damaged bytes (a UserWarning where warnings are errors).
_DAMAGE = (
    OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, AttributeError,
    OverflowError, EOFError, RuntimeError, struct.error, zlib.error, UserWarning,
)  # fmt: skip

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112  # the EXIF tag


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A decoded picture: RGB, upright, without metadata; `notes` say how it was converted."""

    image: Image.Image
    width: int
    height: int
    format: str
    notes: tuple[str, ...]


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> DecodedPicture:
    """Decode a picture file; its size and parts are checked before any pixel is decoded.

    It is shown as a browser shows it, blemishes included. Raises NotAPicture, BrokenPicture or
    PictureTooLarge. Safe to call from many threads.
    """
    kind = picture_kind(data)
    if kind != "GIF" or data[6:10] != bytes(4):
        _check_stated(data, kind, max_pixels)
    check_parts(data, kind)
    failure: Exception | None = None
    try:
        for attempt in _attempts(data, kind):
            try:
                _check_stated(attempt, kind, max_pixels)
                return _decode(attempt, kind, max_pixels)
            except _DAMAGE as error:
                failure = failure or error
    except _BOMBS as error:
        raise PictureTooLarge(_too_large_sentence(None, max_pixels)) from error
    except _DAMAGE as error:
        failure = failure or error
    raise BrokenPicture(_broken_sentence(kind)) from failure


def _attempts(data: bytes, kind: str) -> Iterator[bytes]:
    """The file, and what is left of it without its blemishes, if no pixel is missing then."""
    if kind == "PNG":
        data = mended(data, kind)
    if kind != "GIF" or data[6:10] != bytes(4):
        yield data
    if kind == "PNG":
        yield repacked_png(data)
    elif kind in ("JPEG", "WEBP", "GIF"):
        fillers = (mended(data, kind, filler) for filler in (b"\0", b"\xa5"))
        one, other = fillers
        # Where pixels are missing, they come from what stands in their place.
        if one == other or _pixels(one, kind) == _pixels(other, kind):
            yield one


def _pixels(data: bytes, kind: str) -> bytes:
    with _OPENERS[kind](BytesIO(data)) as opened:
        return opened.tobytes()


def _decode(data: bytes, kind: str, max_pixels: int) -> DecodedPicture:
    with _OPENERS[kind](BytesIO(data)) as opened:
        _check_size(opened.size, max_pixels)
        notes = _notes_of_file(opened, data, kind)
        profile = opened.info.get("icc_profile", b"")
        if opened.info.get("default_image"):
            opened.seek(1)  # What stands before an animation is for those that show none.
        tiles = getattr(opened, "tile", ()) if kind == "GIF" else ()
        box = tiles[0].extents if tiles else None
        opened.load()
        turn = _TURNS.get(_orientation(opened, kind))
        shown: Image.Image = opened
        if kind == "PNG":
            shown = with_exact_transparency(opened, data)
        shown, converted = to_srgb(shown, profile)
        image, more = to_rgb(shown)
    if box is not None and box != (0, 0, *image.size):
        image, more = _on_screen(image, box), (*more, NOTE_WHITE)
    if turn is not None:
        image = image.transpose(turn)
        notes.append(NOTE_UPRIGHT)
    told = dict.fromkeys((*notes, *converted, *more))
    return DecodedPicture(image, image.width, image.height, kind, tuple(told))


def _on_screen(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """A frame that covers a part of its screen: the rest is transparent."""
    page = Image.new("RGB", image.size, "white")
    page.paste(image.crop(box), box[:2])
    return page


def _check_stated(data: bytes, kind: str, max_pixels: int) -> None:
    if (stated := stated_size(data, kind)) is not None:
        _check_size(stated, max_pixels)


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise BrokenPicture(
            f"This picture says that it is {width} × {height} pixels, so there is nothing to see. "
            "Please choose another file."
        )
    if width * height > max_pixels:
        raise PictureTooLarge(_too_large_sentence(size, max_pixels))
    if max(width, height) > LONGEST:
        raise PictureTooLarge(
            f"This picture is {width:,} × {height:,} pixels, and no side may have more than "
            f"{LONGEST:,}. Cut out a part of it and try again."
        )


def _notes_of_file(opened: Image.Image, data: bytes, kind: str) -> list[str]:
    notes = []
    if getattr(opened, "is_animated", False):
        notes.append(NOTE_FIRST_FRAME)
    # Pillow reduces deep colour PNGs itself; byte 24 is the header's bit depth.
    if kind == "PNG" and data[24] == 16 and opened.mode in ("RGB", "RGBA"):
        notes.append(NOTE_DEEP)
    return notes


def _orientation(opened: Image.Image, kind: str) -> int:
    """The turn that the camera noted (EXIF), where browsers read it; others are in XMP or WebP."""
    if kind == "WEBP":
        return 1
    try:
        if kind in ("AVIF", "HEIC"):
            return int(opened.getexif().get(_ORIENTATION, 1))
        exif = Image.Exif()
        exif.load(opened.info.get("exif", b""))
        return int(exif.get(_ORIENTATION, 1))
    except _DAMAGE:
        # Broken EXIF data is no reason to reject a photo.
        return 1


def _too_large_sentence(size: tuple[int, int] | None, max_pixels: int) -> str:
    limit = f"At most {max_pixels / 1e6:.3g} million pixels are read here"
    advice = "make it smaller (2000 pixels wide is plenty) and try again."
    if size is None:
        return f"This picture is too big. {limit}: {advice}"
    width, height = size
    # Rounded up: 25,010,000 must not read as the 25 million that are allowed.
    millions = f"{ceil(width * height / 1e5) / 10:,.1f}".removesuffix(".0")
    return (
        f"This picture is {width} × {height}, that is {millions} million pixels. {limit}: {advice}"
    )


def _broken_sentence(kind: str) -> str:
    name = "WebP" if kind == "WEBP" else kind
    return (
        f"This {name} file is damaged or cut off, so its pixels cannot be read. "
        "Copy or download it again, or choose another picture."
    )
