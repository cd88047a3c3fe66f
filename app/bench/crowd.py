"""A class of thirty: as many different pictures at once through one network."""

from __future__ import annotations

import asyncio
import gc
from statistics import median
from time import perf_counter

from app.bench.memory import resident
from app.bench.rows import Row, against_bare
from app.bench.upload import draw_all
from app.bench.workshop import REST, Workshop, photo

PICTURES = 30
BATCH = 16
TOGETHER = f"{PICTURES} pictures at once, all sheets"
GROWTH = f"memory that {PICTURES} more pictures leave behind"
FLAT = 50.0
"""Megabytes that count as flat: the allocator keeps some of what it once had."""


async def measure(workshop: Workshop) -> list[Row]:
    """Against as many bare forwards in batches; and whether memory stays after the first time."""
    images = [workshop.pictures.bring(photo(12 * turn)) for turn in range(PICTURES)]
    rounds = 2 if workshop.quick or workshop.name == "vgg16" else 4
    bare, whole, kept = [], [], []
    await _all(workshop, images)
    for _ in range(rounds):
        await asyncio.sleep(REST)
        bare.append(await workshop.bare(BATCH) + await workshop.bare(PICTURES - BATCH))
        await asyncio.sleep(REST)
        whole.append(await _all(workshop, images))
        gc.collect()
        kept.append(resident())
    growth = max(0.001, median(kept[1:]) - kept[0])
    return [
        against_bare(TOGETHER, workshop.name, whole, bare, 2.0),
        Row(GROWTH, workshop.name, growth, FLAT, "MB"),
    ]


async def _all(workshop: Workshop, images: list[str]) -> float:
    started = perf_counter()
    await asyncio.gather(*(draw_all(workshop, image) for image in images))
    seconds = perf_counter() - started
    for image in images:
        workshop.forget(image)
    return seconds
