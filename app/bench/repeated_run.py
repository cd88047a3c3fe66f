"""Benchmark of a cached run: the stream of the same picture again, with every card."""

from __future__ import annotations

from time import perf_counter

from starlette.types import ASGIApp

from app.bench.bench_services import BenchServices
from app.bench.client import get
from app.bench.rows import BenchRow
from app.bench.upload import draw_all
from app.web.app import create_app

AGAIN = "the same picture again, to the last event"


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Measure the page's stream of a cached run, rendered and read to its end: the median."""
    app = app_of(bench)
    image = bench.pictures.add_in_memory(bench.photo)
    await draw_all(bench, image)

    async def again() -> float:
        return await stream(app, bench.name, image)

    times = sorted((await bench.times({AGAIN: again}))[AGAIN])
    bench.forget(image)
    return [BenchRow(AGAIN, bench.name, 1000 * times[len(times) // 2], 5.0, "ms")]


def app_of(bench: BenchServices) -> ASGIApp:
    """The complete app with the benchmark's services."""
    app = create_app(bench.services.settings)
    app.state.services = bench.services
    return app


async def stream(app: ASGIApp, model: str, image: str) -> float:
    """Seconds to the end of a run's event stream."""
    started = perf_counter()
    await get(app, f"/runs/{model}/{image}/events")
    return perf_counter() - started
