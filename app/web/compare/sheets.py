"""Pictures of compared maps: each pair on its own scale, the same for all three parts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch

from app.pictures.palettes import PaletteName
from app.pictures.sheets import SheetLayout, arrange, reduce, sheet
from app.services.runs.comparison import ChannelPair, MapComparison, Part
from app.services.runs.sheets import palette_of, version
from app.web.compare.view import CompareView
from app.web.core.base_path import base

COLUMNS = 4
SIDE = 112
"""Side of a map in the ranking, pixels; larger ones are averaged down."""


def maps_url(
    view: CompareView, comparison: MapComparison, part: Part, row: ChannelPair | None = None
) -> str:
    """The URL of a sheet: of the selected pair, or without `row` of the ranking's pairs."""
    changes = {} if row is None else {"channel": row.here, "other_channel": row.there}
    which = "pair" if row else "ranking"
    return f"{base()}/compare/{which}-{part}.png?{view.query(**changes)}&v={digest(comparison)}"


def digest(comparison: MapComparison) -> str:
    """Digest for caching a picture of both sides: of the weights and the inputs."""
    both = [version(half.run.model.row) for half in (comparison.here, comparison.there)]
    return hashlib.sha256(repr(both).encode()).hexdigest()[:12]


def drawn(comparison: MapComparison, rows: Sequence[ChannelPair], part: Part) -> bytes:
    """Maps of some pairs as PNG: each pair on the scale of `MapComparison.limit`."""
    limits = torch.tensor([comparison.limit(row) for row in rows])
    columns = min(COLUMNS, len(rows))
    maps = comparison.drawn(list(rows), part)
    side = None if len(rows) == 1 else SIDE
    return sheet(maps, limits, palette(comparison, part), side=side, columns=columns).png


def palette(comparison: MapComparison, part: Part) -> PaletteName:
    """Signed for a difference and if either side is signed: then colours mean the same in all."""
    logits = comparison.here.run.model.outline.logits, comparison.there.run.model.outline.logits
    halves = zip((comparison.here, comparison.there), logits, strict=True)
    both = {palette_of(half.record.step, name) for half, name in halves}
    return "nonnegative" if both == {"nonnegative"} and part != "difference" else "signed"


def layout(comparison: MapComparison, part: Part, count: int) -> SheetLayout:
    """The layout of the ranking's maps on their sheet."""
    half = comparison.there if part == "there" else comparison.here
    height, width = reduce(torch.zeros(1, *half.shape), SIDE).shape[1:]
    return arrange(count, height, width, min(COLUMNS, count))
