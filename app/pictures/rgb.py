"""How does a picture of any mode become RGB, and which notes does the user need?"""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

_GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L")

NOTE_WHITE = "Its transparent parts were put on white."
NOTE_DEEP = "Its 16-bit values were scaled to 8 bits."
NOTE_CMYK = "Its printing inks (CMYK) were converted to red, green and blue."
NOTE_GREY = "It is grey: the same values went into red, green and blue."


def to_rgb(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert a loaded picture to a new RGB picture, with a sentence for each conversion.

    An embedded colour profile is dropped and the values stay unchanged, as in the networks'
    training.
    """
    notes = []
    if image.mode in _GREY_MODES:
        notes.append(NOTE_GREY)
    if image.mode in _DEEP_MODES:
        notes.append(NOTE_DEEP)
        image = _scaled_to_8_bits(image)
    if image.mode == "CMYK":
        notes.append(NOTE_CMYK)
    if _may_be_transparent(image):
        image, seen_through = _on_white(image)
        notes += [NOTE_WHITE] if seen_through else []
    return _bare(image), tuple(notes)


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    """Scale 0..65535 to 0..255 by the high byte, as browsers do; Pillow's own would clip at 255.

    A transparent grey (tRNS) is a 16-bit value: it becomes an alpha channel before scaling.
    """
    deep = np.asarray(image).astype(np.uint32)
    grey = Image.fromarray((deep >> 8).astype(np.uint8))
    clear = image.info.get("transparency")
    if not isinstance(clear, int):
        return grey
    alpha = Image.fromarray(np.where(deep == clear, 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, alpha))


def _may_be_transparent(image: Image.Image) -> bool:
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info


def _on_white(image: Image.Image) -> tuple[Image.Image, bool]:
    rgba = image.convert("RGBA")
    alpha = rgba.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return rgba, False
    page = Image.new("RGB", image.size, "white")
    page.paste(rgba, mask=alpha)
    return page, True


def _bare(image: Image.Image) -> Image.Image:
    plain = image.convert("RGB")
    plain.info = {}
    return plain


def with_exact_transparency(image: Image.Image, png: bytes) -> Image.Image:
    """A loaded PNG whose transparent value (tRNS), of the file's depth, fits its 8-bit pixels."""
    depth, clear = png[24], image.info.get("transparency")
    if isinstance(clear, int) and depth in (2, 4) and image.mode == "L":
        image.info["transparency"] = clear * 255 // (2**depth - 1)
    elif isinstance(clear, tuple) and depth == 16:
        high, low = np.asarray(image).astype(np.uint16), _low_bytes(png).astype(np.uint16)
        seen = ((high << 8 | low) != np.array(clear, np.uint16)).any(axis=2)
        alpha = Image.fromarray(np.where(seen, 255, 0).astype(np.uint8))
        return Image.merge("RGBA", (*image.convert("RGB").split(), alpha))
    return image


def _low_bytes(png: bytes) -> "np.ndarray[Any, Any]":
    """The low byte of each 16-bit value of an RGB PNG, which Pillow's decoder leaves out."""
    with PngImagePlugin.PngImageFile(BytesIO(png)) as again:
        # Read as if the low byte stood first: then it is the one that is kept.
        again.tile = [one._replace(args="RGB;16L") for one in again.tile]
        return np.asarray(again)
