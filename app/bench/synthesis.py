"""Benchmark of a synthesised picture, against bare forward and backward passes to its step."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from time import perf_counter

import torch

from app.bench.bench_services import OWNER, BenchServices
from app.bench.rows import BenchRow
from app.services.runs.run import preprocess
from app.vision.partial_forward import gradient_of
from app.vision.synthesis import Synthesis, SynthesisRecipe
from app.vision.synthesis_goals import SynthesisGoal

SYNTHESIS = "synthesised picture, {} steps at {} px, conv5"
STEP, CHANNEL = "conv5", 3
ROUND = 8
"""Steps of each kind in alternation, so that other load affects both equally."""


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Measure the networks with a conv5; the bar is for AlexNet."""
    if bench.name not in ("alexnet", "mini"):
        return []
    size = min(128, bench.network.input_size)
    count = 32 if bench.quick else 512
    engine = bench.services.engine
    stream = engine.stream(OWNER, lambda: _rounds(bench, size, count))
    pairs = [one async for one in stream if isinstance(one, tuple)]
    # Medians: a round with other load on the machine must not count.
    ours, bare = (1000 * median(side) * len(pairs) for side in zip(*pairs, strict=True))
    limit = 1.1 if bench.name == "alexnet" else None
    return [BenchRow(SYNTHESIS.format(count, size), bench.name, ours, bare, "ms", limit, bare=True)]


def _rounds(bench: BenchServices, size: int, count: int) -> Iterator[tuple[float, float]]:
    """Seconds of `ROUND` steps of synthesis and of as many bare passes."""
    prep = preprocess(bench.services.catalogue.model(bench.name))
    recipe = SynthesisRecipe(size, count)
    synthesis = Synthesis(
        bench.network, STEP, [SynthesisGoal(CHANNEL)], prep.mean, prep.std, recipe
    )
    bare, picture = bench.network.upto(STEP).eval(), torch.rand(1, 3, size, size)
    synthesis.advance()
    for _ in range(count // ROUND):
        started = perf_counter()
        for _ in range(ROUND):
            synthesis.advance()
        between = perf_counter()
        for _ in range(ROUND):
            x = picture.clone().requires_grad_()
            gradient_of(bare(x)[0, CHANNEL].mean(), x)
        yield between - started, perf_counter() - between
