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


async def measure(workshop: BenchServices) -> list[BenchRow]:
    """Measure each in alternation with the bare network."""
    pictures = workshop.pictures
    kept = (await asyncio.to_thread(pictures.add, workshop.photo, OWNER)).id

    async def brought() -> float:
        started = perf_counter()
        image = pictures.bring(workshop.photo)
        await draw_all(workshop, image)
        return _since(started, workshop, image)

    async def stored() -> float:
        await asyncio.to_thread(pictures.delete, kept, OWNER)
        started = perf_counter()
        image = (await asyncio.to_thread(pictures.add, workshop.photo, OWNER)).id
        await draw_all(workshop, image)
        return _since(started, workshop, image)

    async def first() -> float:
        return await first_event(workshop, kept)

    cases = {"bare": workshop.bare, ALL_SHEETS: brought, STORED: stored, FIRST_EVENT: first}
    times = await workshop.times(cases)
    # The bars are for AlexNet and VGG16; other networks have figures only.
    bars = {
        ALL_SHEETS: 1.5,
        STORED: None,
        FIRST_EVENT: 0.35 if workshop.name == "alexnet" else None,
    }
    if workshop.name not in ("alexnet", "vgg16"):
        bars = dict.fromkeys(bars)
    return [
        against_bare(what, workshop.name, times[what], times["bare"], limit)
        for what, limit in bars.items()
    ]


async def draw_all(workshop: BenchServices, image: str) -> None:
    """Run a picture and draw each step's sheet as soon as the step is done, like the page."""
    services = workshop.services
    async with services.runs.listen(workshop.name, image) as run:
        sheets = [
            asyncio.create_task(services.sheets.draw(run, record.step.name, OVERVIEW))
            async for record in run.follow()
        ]
        await asyncio.gather(*sheets)


async def first_event(workshop: BenchServices, image: str) -> float:
    """Seconds from a run's start to its first record; the run is then finished and dropped."""
    started = perf_counter()
    async with workshop.services.runs.listen(workshop.name, image) as run:
        await anext(run.follow())
        seconds = perf_counter() - started
        await run.finish()
    workshop.forget(image)
    return seconds


def _since(started: float, workshop: BenchServices, image: str) -> float:
    seconds = perf_counter() - started
    workshop.forget(image)
    return seconds
