"""Benchmark of dragging a sticker: from the page's request to the new prediction."""

from __future__ import annotations

import random
from time import perf_counter
from urllib.parse import urlencode

from app.bench.bench_services import BenchServices
from app.bench.client import get
from app.bench.repeated_run import app_of
from app.bench.rows import BenchRow, percentile
from app.services.attacks.stickers import stickers_of

DRAG = "sticker dragged to its new prediction, control beside, p95"
MILLISECONDS = 50.0


async def measure(workshop: BenchServices) -> list[BenchRow]:
    """Measure places drawn at random; no rows for a network without a sticker."""
    if not stickers_of(workshop.services.catalogue.model(workshop.name)).stickers:
        return []
    image = workshop.pictures.bring(workshop.photo)
    app, lot, times = app_of(workshop), random.Random(0), []
    # The first request also runs the clean picture.
    for _ in range(11 if workshop.quick else 101):
        place = {"x": lot.random(), "y": lot.random(), "turn": lot.uniform(-180, 180)}
        query = urlencode({"model": workshop.name, "image": image, **place})
        started = perf_counter()
        await get(app, f"/attack/sticker/seen?{query}")
        times.append(perf_counter() - started)
    workshop.forget(image)
    return [BenchRow(DRAG, workshop.name, 1000 * percentile(times[1:], 0.95), MILLISECONDS, "ms")]
