"""The arithmetic of one output cell: what every input map adds to it."""

from __future__ import annotations

import random
from time import perf_counter

from app.bench.rows import Row, percentile
from app.bench.workshop import Workshop
from app.services.lines import contributions
from app.services.run import Record, Run

CELL = "explain one cell, p95"


async def measure(workshop: Workshop) -> list[Row]:
    """Cells drawn by lot from the convolutions of stages 2 to 5, alike for the same network."""
    image = workshop.pictures.bring(workshop.photo)
    async with workshop.services.runs.listen(workshop.name, image) as run:
        await run.finish()
        records = [r for r in run.records if r.step.kind == "conv" and (r.step.stage or 0) >= 2]
        lot = random.Random(0)
        each = 20 if workshop.quick else 200
        times = [_explain(run, record, lot) for _ in range(each) for record in records]
    workshop.forget(image)
    return [Row(CELL, workshop.name, 1000 * percentile(times, 0.95), 10.0, "ms")]


def _explain(run: Run, record: Record, lot: random.Random) -> float:
    channels, height, width = run.model.geometry[record.step.name].shape
    channel, cell = lot.randrange(channels), (lot.randrange(height), lot.randrange(width))
    started = perf_counter()
    contributions(run, record, channel, cell)
    return perf_counter() - started
