"""Make the contact sheets of docs/synthesis.md from the shipped synthesised pictures.

.venv/bin/python -m scripts.contact_sheets
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from PIL import Image

from app.pictures.sheets import arrange
from app.services.networks.catalogue import Catalogue
from app.services.synthesis.shipped import ShippedPictures, shipped

OUT = Path(__file__).parents[1] / "docs" / "synthesis"
MOST, SIDE, COLUMNS, GAP = 100, 56, 10, 2
"""Most channels on a sheet, pixels of a tile, tiles in a row, pixels between two tiles."""


def main() -> int:
    """Write one PNG per step; return the exit status."""
    model = Catalogue(torch.device("cpu"), 1).model("mini")
    pictures = shipped(model, model.outline.logits)
    if pictures is None:
        sys.stderr.write("No pictures of these weights ship: make assets first.\n")
        return 1
    OUT.mkdir(exist_ok=True)
    for at, values in pictures.objectives.items():
        path = OUT / f"{'classes' if at == model.outline.logits else at}.png"
        contact(pictures, at, min(MOST, len(values))).save(path, optimize=True)
        sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes\n")
    return 0


def contact(pictures: ShippedPictures, at: str, count: int) -> Image.Image:
    """Draw the first `count` channels row by row, in 256 colours."""
    layout = arrange(count, SIDE + GAP, SIDE + GAP, COLUMNS)
    page = Image.new("RGB", (layout.width - GAP, layout.height - GAP), "white")
    for channel in range(count):
        tile = pictures.tile(at, channel).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        page.paste(tile, layout.position(channel))
    return page.quantize(256, dither=Image.Dither.FLOYDSTEINBERG)


if __name__ == "__main__":
    raise SystemExit(main())
