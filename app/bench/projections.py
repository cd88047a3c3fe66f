"""Benchmarks of guided backprop (against forward and backward) and of covering (forward)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter

import torch

from app.bench.bench_services import OWNER, BenchServices
from app.bench.rows import BenchRow, against_bare
from app.pictures.decode import decode
from app.pictures.preprocess import fit, unit
from app.services.runs.batch_inference import outputs_of
from app.services.runs.run import preprocess
from app.vision.cover import cover
from app.vision.partial_forward import gradient_of
from app.vision.projections.guided import guided_backprop
from app.vision.units import Unit

GUIDED = "guided backprop of a class"
COVER = "brush stroke to the class and the last maps"
BOTH_WAYS = "both ways"


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Measure each in alternation with its reference, in the engine's thread."""
    network = bench.network
    model = bench.services.catalogue.model(bench.name)
    prep, top = preprocess(model), Unit(network.logits, 7)
    pixels = unit(fit(decode(bench.photo).image, prep).pixels)
    mask = torch.zeros(pixels.shape[1:])
    mask[: len(mask) // 3, : len(mask) // 3] = 1
    last = next(s.name for s in reversed(network.steps) if s.kind == "conv")

    def both_ways() -> object:
        with torch.inference_mode(False), torch.enable_grad():
            x = bench.picture.clone()[None].requires_grad_()
            return gradient_of(network(x)[0, top.channel], x)

    async def stroke() -> float:
        """As on the page: cover, round to 8 bits, run in the interactive queue."""
        started = perf_counter()
        covered = cover(pixels, mask).mul(255).round().to(torch.uint8)
        wanted = {last, network.logits}
        await outputs_of(bench.services.engine, model, network, [covered], wanted)
        return perf_counter() - started

    cases = {
        "bare": bench.bare,
        BOTH_WAYS: _timed(bench, both_ways),
        GUIDED: _timed(bench, lambda: guided_backprop(network, bench.picture, top)),
        COVER: stroke,
    }
    times = await bench.times(cases)
    rows = [against_bare(GUIDED, bench.name, times[GUIDED], times[BOTH_WAYS], 1.2)]
    if bench.name == "mini":
        seconds = sorted(times[COVER])[len(times[COVER]) // 2]
        return [*rows, BenchRow(COVER, bench.name, 1000 * seconds, 50.0, "ms")]
    limit = 1.5 if bench.name == "alexnet" else None
    return [*rows, against_bare(COVER, bench.name, times[COVER], times["bare"], limit)]


def _timed(bench: BenchServices, work: Callable[[], object]) -> Callable[[], Awaitable[float]]:
    def once() -> Iterator[float]:
        started = perf_counter()
        work()
        yield perf_counter() - started

    async def case() -> float:
        found = [t async for t in bench.services.engine.stream(OWNER, once)]
        return float(found[-1])

    return case
