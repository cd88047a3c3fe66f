"""Benchmark of a school class: thirty different pictures at once through one network."""

from __future__ import annotations

import asyncio
import gc
from time import perf_counter

from app.bench.bench_services import REST, BenchServices, photo
from app.bench.memory import resident
from app.bench.rows import BenchRow, against_bare
from app.bench.upload import draw_all

PICTURES = 30
BATCH = 16
TOGETHER = f"{PICTURES} pictures at once, all sheets"
GROWTH = f"memory that {PICTURES} more pictures leave behind"
FLAT = 50.0
"""Growth in MB that counts as none: the allocator keeps some freed memory."""


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Measure against as many bare forward passes in batches; before that, memory growth."""
    images = [bench.pictures.add_in_memory(photo(12 * turn)) for turn in range(PICTURES)]
    kept = []
    for _ in range(4):
        await _all(bench, images)
        kept.append(resident())
    # A leak raises every figure above all earlier ones; the allocator's fluctuation does not.
    growth = max(0.001, min(kept[2:]) - max(kept[:2]))
    bare, whole = [], []
    for _ in range(2 if bench.quick or bench.name == "vgg16" else 6):
        await asyncio.sleep(REST)
        bare.append(await bench.bare(BATCH) + await bench.bare(PICTURES - BATCH))
        await asyncio.sleep(REST)
        whole.append(await _all(bench, images))
    return [
        against_bare(TOGETHER, bench.name, whole, bare, 2.0),
        BenchRow(GROWTH, bench.name, growth, FLAT, "MB"),
    ]


async def _all(bench: BenchServices, images: list[str]) -> float:
    started = perf_counter()
    await asyncio.gather(*(draw_all(bench, image) for image in images))
    seconds = perf_counter() - started
    for image in images:
        bench.forget(image)
    gc.collect()
    return seconds
