"""Adversarial stickers to print, and amplified noise to look at, as PNG."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, PngImagePlugin
from torch import Tensor

from app.pictures.encode import encode_png

DPI = 300
INCH = 2.54
LARGEST_CM = 20.0
SIDE = 256
"""Least side of a preview in pixels."""


def sticker_png(sticker: Tensor, centimetres: float, title: str = "") -> bytes:
    """Draw a round sticker, uint8 [3,P,P], to print at 300 dpi, `centimetres` wide.

    Enlarged bilinearly, as when it is pasted on a picture; transparent outside. The file states its
    size, so that a printing program uses it.
    """
    side = max(1, round(centimetres / INCH * DPI))
    image = _image(sticker).resize((side, side), Image.Resampling.BILINEAR)
    image.putalpha(_round(side))
    about = PngImagePlugin.PngInfo()
    words = f"{title}, " if title else ""
    about.add_text("Description", f"{words}{centimetres:g} cm wide at {DPI} dpi".strip())
    file = BytesIO()
    image.save(file, "PNG", dpi=(DPI, DPI), pnginfo=about)
    return file.getvalue()


def sticker_preview(sticker: Tensor, side: int = SIDE) -> bytes:
    """Draw a round sticker, uint8 [3,P,P], transparent outside, `side` pixels wide."""
    image = _image(sticker).resize((side, side), Image.Resampling.BILINEAR)
    image.putalpha(_round(side))
    file = BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def noise_png(noise: Tensor, epsilon: float) -> bytes:
    """Draw a noise, whole numbers [3,S,S], amplified: grey is 0, black and white +-epsilon."""
    side = noise.shape[-1]
    values = noise.permute(1, 2, 0).numpy().astype(np.float64)
    grey = np.clip(np.rint(127.5 + values / epsilon * 127.5), 0, 255).astype(np.uint8)
    times = -(-SIDE // side)
    return encode_png(
        Image.fromarray(grey).resize((side * times, side * times), Image.Resampling.NEAREST)
    )


def _image(pixels: Tensor) -> Image.Image:
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def _round(side: int) -> Image.Image:
    """A white disc whose edge fades over one pixel."""
    centres = np.arange(side) + 0.5 - side / 2
    inside = side / 2 - np.hypot(centres[None, :], centres[:, None])
    return Image.fromarray((np.clip(inside, 0, 1) * 255).round().astype(np.uint8))
