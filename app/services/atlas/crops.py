"""Encodes the crops of an atlas as WebP pictures, and lists them as CSV."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import torch
from PIL import Image
from torch import Tensor

from app.services.atlas.atlas import Atlas
from app.vision.crops import cut
from app.vision.geometry import Geometry

LARGEST = 128
"""Longest side of a crop in pixels; a larger receptive field is scaled down."""
EXACT = 32
"""Receptive fields up to this side are stored losslessly."""
HEAD = ("step", "channel", "rank", "value", "picture", "row", "column", "left", "top", "right",
        "bottom")  # fmt: skip


def encoded(pixels: Tensor, geometry: Geometry, cell: int) -> bytes:
    """The crop at a cell as WebP, transparent where the receptive field covers padding."""
    crop = cut(pixels, geometry, cell)
    alpha = crop.inside[None].to(torch.uint8) * 255
    array = torch.cat([crop.pixels, alpha]).permute(1, 2, 0).contiguous().numpy()
    image = Image.fromarray(array)
    if max(image.size) > LARGEST:
        image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    file = BytesIO()
    exact = max(crop.inside.shape) <= EXACT
    image.save(file, "WEBP", lossless=exact, quality=80, method=2, exact=True)
    return file.getvalue()


def table(atlas: Atlas, geometry: dict[str, Geometry]) -> str:
    """Every crop as a row of CSV; the box is in pixels of the network's input, clipped to it."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    for step, one in atlas.winners.items():
        width = geometry[step].shape[2]
        for channel in range(len(one.values)):
            ranks = zip(one.values[channel], one.pictures[channel], one.cells[channel], strict=True)
            for rank, (value, number, cell) in enumerate(ranks, 1):
                if number >= 0:
                    y, x = divmod(int(cell), width)
                    box, name = geometry[step].box(y, x), atlas.about.names[str(int(number))]
                    place = (y, x, box.left, box.top, box.right, box.bottom)
                    writer.writerow([step, channel, rank, f"{value:.6g}", name, *place])
    return text.getvalue()
