"""A finished synthesised picture: a PNG with text chunks that say how it was made."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from app.pictures.encode import RUN_LENGTH
from app.services.synthesis.collection import image_of

ABOUT, WORDS = "Layerscope", "Description"
"""Names of the PNG's text chunks: data as JSON, and a sentence for readers."""


@dataclass(frozen=True, slots=True)
class SynthesisedPicture:
    """`png` with its `objective`, the goal's value for it; `curve` has values of earlier steps."""

    png: bytes
    objective: float
    curve: tuple[float, ...] = ()


def encode(
    pixels: Image.Image, key: str, words: str, objective: float, curve: list[float]
) -> bytes:
    """Encode a PNG with its key, objective, curve and description in text chunks."""
    about = {"key": key, "objective": objective, "curve": curve}
    notes = PngInfo()
    notes.add_text(ABOUT, json.dumps(about))
    notes.add_itxt(WORDS, words)
    file = io.BytesIO()
    pixels.save(file, "PNG", compress_type=RUN_LENGTH, pnginfo=notes)
    return file.getvalue()


def drawn(
    pixels: Tensor, key: str, words: str, objective: float, curve: list[float]
) -> SynthesisedPicture:
    """Encode a picture [3,S,S] in 0..1, rounded to 8 bits."""
    return SynthesisedPicture(
        encode(image_of(pixels), key, words, objective, curve), objective, tuple(curve)
    )


def read(png: bytes, key: str) -> SynthesisedPicture | None:
    """Read what `encode` wrote with that key; None for a damaged file or another key."""
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            image.load()
            about = json.loads(image.text[ABOUT])  # type: ignore[attr-defined]
        if about["key"] != key:
            return None
        return SynthesisedPicture(png, float(about["objective"]), tuple(map(float, about["curve"])))
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):
        # For an incomplete PNG, Pillow's exception depends on the chunk that is cut off.
        return None
