"""Two classes of striped pictures that a tiny network tells apart at once."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

from PIL import Image

from app.pictures.preprocess import Preprocess
from app.training.options import TrainingOptions

PREP = Preprocess(64, 64, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
CLASSES = ("across", "upright")
SMALL = TrainingOptions(
    widths=(4, 8, 8, 8, 8), hidden=16, epochs=3, batch=20, rate=0.05, average=0.8, area=0.8,
    cutmix=0.3, turn=5.0,
)  # fmt: skip


def striped(upright: bool, chance: random.Random) -> Image.Image:
    """Stripes of random width and colours, across or upright."""
    width = chance.randrange(4, 10)
    start = chance.randrange(width)
    light, dark = (tuple(chance.randrange(low, low + 90) for _ in range(3)) for low in (160, 0))
    image = Image.new("RGB", (64, 64))
    image.putdata([
        light if ((x if upright else y) + start) // width % 2 else dark
        for y in range(64) for x in range(64)
    ])  # fmt: skip
    return image


def silent(what: str, done: int, of: int) -> None:
    """Nobody wants to know."""


def zipped(folder: Path, to: Path, top: str = "") -> Path:
    """The folder as a zip, under a folder `top` of its own if one is named."""
    with zipfile.ZipFile(to, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, Path(top) / path.relative_to(folder))
    return to
