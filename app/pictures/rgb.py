"""How does a picture of any mode become RGB, and which notes does the user need?"""

import numpy as np
from PIL import Image

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
    """Scale 0..65535 to 0..255, rounding; Pillow's own conversion would clip at 255.

    A transparent grey (tRNS) is a 16-bit value: it becomes an alpha channel before scaling.
    """
    deep = np.asarray(image).astype(np.uint32)
    grey = Image.fromarray(((deep * 255 + 32767) // 65535).astype(np.uint8))
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
