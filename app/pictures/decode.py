"""How do untrusted bytes become a picture safely? Validates size and format before decoding."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from math import ceil

from PIL import GifImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from app.errors import BrokenPicture, PictureTooLarge
from app.pictures.file_headers import stated_size
from app.pictures.file_kinds import picture_kind
from app.pictures.file_parts import check_parts
from app.pictures.rgb import NOTE_DEEP, to_rgb

MAX_PIXELS = 25_000_000
LONGEST = 20_000
"""Longest side, pixels: rows or columns of one pixel take a decoder minutes."""

NOTE_UPRIGHT = "It was turned upright, as the camera noted (EXIF)."
NOTE_FIRST_FRAME = "It is an animation: only its first frame is used."

# The plugin's class is called, not Image.open: Image.open checks the size by a limit and a warning
# that are global to the process (Image.MAX_IMAGE_PIXELS, and filters that threads cannot change
# safely), and opens a phone's JPEG with a second picture inside as another format (MPO).
# The limit here is an argument and is checked before and after opening. Pillow's own stays set.
_OPENERS: dict[str, Callable[[BytesIO], ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
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
    """Decode PNG, JPEG, WebP or GIF bytes; the size is checked before any pixel is decoded.

    Raises NotAPicture, BrokenPicture or PictureTooLarge. Safe to call from many threads.
    """
    kind = picture_kind(data)
    stated = stated_size(data, kind)
    if stated is not None:
        _check_size(stated, max_pixels)
    check_parts(data, kind)
    try:
        return _decode(data, kind, max_pixels)
    except _BOMBS as error:
        raise PictureTooLarge(_too_large_sentence(None, max_pixels)) from error
    except _DAMAGE as error:
        raise BrokenPicture(_broken_sentence(kind)) from error


def _decode(data: bytes, kind: str, max_pixels: int) -> DecodedPicture:
    with _OPENERS[kind](BytesIO(data)) as opened:
        _check_size(opened.size, max_pixels)
        notes = _notes_of_file(opened, data, kind)
        opened.load()
        turn = _TURNS.get(_orientation(opened))
        image, more = to_rgb(opened)
    if turn is not None:
        image = image.transpose(turn)
        notes.append(NOTE_UPRIGHT)
    return DecodedPicture(image, image.width, image.height, kind, (*notes, *more))


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


def _notes_of_file(opened: ImageFile.ImageFile, data: bytes, kind: str) -> list[str]:
    notes = []
    if getattr(opened, "is_animated", False):
        notes.append(NOTE_FIRST_FRAME)
    # Pillow reduces deep colour PNGs itself; byte 24 is the header's bit depth.
    if kind == "PNG" and data[24] == 16 and opened.mode in ("RGB", "RGBA"):
        notes.append(NOTE_DEEP)
    return notes


def _orientation(opened: ImageFile.ImageFile) -> int:
    try:
        return int(opened.getexif().get(_ORIENTATION, 1))
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
