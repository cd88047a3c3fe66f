"""Benchmark of dragging a sticker: from the page's request to the new prediction."""

from __future__ import annotations

import random
from time import perf_counter

from app.bench.bench_services import BenchServices
from app.bench.client import get
from app.bench.repeated_run import app_of
from app.bench.rows import BenchRow, percentile
from app.services.attacks.stickers import stickers_of
from app.web.attack.sticker_panel import StickerView

DRAG = "sticker dragged to its new prediction, control beside, p95"
MILLISECONDS = 50.0


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Measure places drawn at random; no rows for a network without a sticker."""
    if not stickers_of(bench.services.catalogue.model(bench.name)).stickers:
        return []
    image = bench.pictures.add_in_memory(bench.photo)
    app, generator, times = app_of(bench), random.Random(0), []
    # The first request also runs the clean picture.
    for _ in range(11 if bench.quick else 101):
        view = StickerView(
            model=bench.name,
            image=image,
            x=generator.random(),
            y=generator.random(),
            turn=generator.uniform(-180, 180),
        )
        started = perf_counter()
        await get(app, f"/attack/sticker/seen?{view.query()}")
        times.append(perf_counter() - started)
    bench.forget(image)
    return [BenchRow(DRAG, bench.name, 1000 * percentile(times[1:], 0.95), MILLISECONDS, "ms")]
