"""Benchmark of the API's arithmetic of one cell, and of its chain back to the picture."""

from __future__ import annotations

import random
from time import perf_counter
from urllib.parse import quote

from starlette.types import ASGIApp

from app.bench.bench_services import BenchServices
from app.bench.client import get
from app.bench.repeated_run import app_of
from app.bench.rows import BenchRow, percentile
from app.services.networks.catalogue import Model

CELL = "explain one cell of any step, p95"
CHAIN = "chain from a cell down to the picture, p95"


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Measure cells drawn at random from every step, the same ones for the same network."""
    image = bench.pictures.add_in_memory(bench.photo)
    async with bench.services.runs.listen(bench.name, image) as run:
        await run.finish()
        model, app = run.model, app_of(bench)
        base = f"/api/v1/runs/{model.id}/{image}/steps"
        generator = random.Random(0)
        each = 2 if bench.quick else 20
        cells = [
            f"{base}/{quote(step.name)}/{{}}?{_cell(model, step.name, generator)}"
            for step in model.outline.steps
            for _ in range(each)
        ]
        times = [await _request_seconds(app, cell.format("explain")) for cell in cells]
        chains = [await _request_seconds(app, cell.format("chain")) for cell in cells]
    bench.forget(image)
    return [
        BenchRow(CELL, bench.name, 1000 * percentile(times, 0.95), 10.0, "ms"),
        BenchRow(CHAIN, bench.name, 1000 * percentile(chains, 0.95), 10.0, "ms", None),
    ]


def _cell(model: Model, name: str, generator: random.Random) -> str:
    channel, *cell = (generator.randrange(n) for n in model.geometry[name].shape)
    place = f"&y={cell[0]}&x={cell[1]}" if cell else ""
    return f"channel={channel}{place}"


async def _request_seconds(app: ASGIApp, url: str) -> float:
    """Seconds of a request to its complete response, compressed, in process."""
    started = perf_counter()
    await get(app, url)
    return perf_counter() - started
