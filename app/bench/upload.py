"""Benchmarks from an upload to all overview sheets, and to the first event of a run."""

from __future__ import annotations

import asyncio
from time import perf_counter

from app.bench.bench_services import OWNER, BenchServices
from app.bench.rows import BenchRow, against_bare
from app.services.runs.sheets import SheetQuery
from app.web.explorer.river import SHOWN, SIDE

OVERVIEW = SheetQuery(channels=f"top{SHOWN}", size=SIDE)
"""The sheet that the page requests for every step."""

ALL_SHEETS = "upload to all sheets ready"
STORED = "the same, the picture stored on disk first"
FIRST_EVENT = "first layer's event, from the decoded picture"


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Measure each in alternation with the bare network."""
    pictures = bench.pictures
    kept = (await asyncio.to_thread(pictures.add, bench.photo, OWNER)).id

    async def in_memory() -> float:
        started = perf_counter()
        image = pictures.add_in_memory(bench.photo)
        await draw_all(bench, image)
        return _since(started, bench, image)

    async def stored() -> float:
        await asyncio.to_thread(pictures.delete, kept, OWNER)
        started = perf_counter()
        image = (await asyncio.to_thread(pictures.add, bench.photo, OWNER)).id
        await draw_all(bench, image)
        return _since(started, bench, image)

    async def first() -> float:
        return await first_event(bench, kept)

    cases = {"bare": bench.bare, ALL_SHEETS: in_memory, STORED: stored, FIRST_EVENT: first}
    times = await bench.times(cases)
    # The bars are for AlexNet and VGG16; other networks have figures only.
    bars = {
        ALL_SHEETS: 1.5,
        STORED: None,
        FIRST_EVENT: 0.35 if bench.name == "alexnet" else None,
    }
    if bench.name not in ("alexnet", "vgg16"):
        bars = dict.fromkeys(bars)
    return [
        against_bare(what, bench.name, times[what], times["bare"], limit)
        for what, limit in bars.items()
    ]


async def draw_all(bench: BenchServices, image: str) -> None:
    """Run a picture and draw each step's sheet as soon as the step is done, like the page."""
    services = bench.services
    async with services.runs.listen(bench.name, image) as run:
        sheets = [
            asyncio.create_task(services.sheets.draw(run, record.step.name, OVERVIEW))
            async for record in run.follow()
        ]
        await asyncio.gather(*sheets)


async def first_event(bench: BenchServices, image: str) -> float:
    """Seconds from a run's start to its first record; the run is then finished and dropped."""
    started = perf_counter()
    async with bench.services.runs.listen(bench.name, image) as run:
        await anext(run.follow())
        seconds = perf_counter() - started
        await run.finish()
    bench.forget(image)
    return seconds


def _since(started: float, bench: BenchServices, image: str) -> float:
    seconds = perf_counter() - started
    bench.forget(image)
    return seconds
