"""A finished synthesised picture: a PNG that tells how it was made."""

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
"""Names of the PNG's text chunks: figures as JSON, and a sentence for people."""


@dataclass(frozen=True, slots=True)
class SynthesisedPicture:
    """`png` with its `objective`, the goal's value for it; `curve` holds values on the way."""

    png: bytes
    objective: float
    curve: tuple[float, ...] = ()


def encode(
    pixels: Image.Image, key: str, words: str, objective: float, curve: list[float]
) -> bytes:
    """A PNG with what is known of it in its text chunks."""
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
    """A picture [3,S,S] in 0..1, rounded to whole numbers."""
    return SynthesisedPicture(
        encode(image_of(pixels), key, words, objective, curve), objective, tuple(curve)
    )


def read(png: bytes, key: str) -> SynthesisedPicture | None:
    """What `encode` wrote under that key; None for a file that is damaged or another's."""
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            image.load()
            about = json.loads(image.text[ABOUT])  # type: ignore[attr-defined]
        if about["key"] != key:
            return None
        return SynthesisedPicture(png, float(about["objective"]), tuple(map(float, about["curve"])))
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):
        # What Pillow raises for a PNG cut off in the middle differs from chunk to chunk.
        return None
