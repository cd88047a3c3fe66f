"""Take the contact sheets of docs/synthesis.md anew from the pictures that ship.

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
"""Channels on a sheet, the first ones; pixels of a tile, tiles in a row, pixels between two."""


def main() -> int:
    """One PNG a step; the exit status."""
    model = Catalogue(torch.device("cpu"), 1).model("mini")
    there = shipped(model, model.outline.logits)
    if there is None:
        sys.stderr.write("No pictures of these weights ship: make assets first.\n")
        return 1
    OUT.mkdir(exist_ok=True)
    for at, values in there.objectives.items():
        path = OUT / f"{'classes' if at == model.outline.logits else at}.png"
        contact(there, at, min(MOST, len(values))).save(path, optimize=True)
        sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes\n")
    return 0


def contact(there: ShippedPictures, at: str, count: int) -> Image.Image:
    """The first `count` channels row by row, in 256 colours."""
    layout = arrange(count, SIDE + GAP, SIDE + GAP, COLUMNS)
    page = Image.new("RGB", (layout.width - GAP, layout.height - GAP), "white")
    for channel in range(count):
        tile = there.tile(at, channel).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        page.paste(tile, layout.position(channel))
    return page.quantize(256, dither=Image.Dither.FLOYDSTEINBERG)


if __name__ == "__main__":
    raise SystemExit(main())
