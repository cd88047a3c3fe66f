"""Benchmark of PGD streamed with its trace, against the bare forward and backward passes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor

from app.bench.bench_services import OWNER, BenchServices
from app.bench.rows import BenchRow, against_bare
from app.services.attacks.job import AttackMoment
from app.services.attacks.options import AttackRequest
from models.graph import Network

PGD = "PGD of 10 steps, streamed with its trace"
STEPS = 10
LIMIT = 1.15


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Measure epsilon 8, and epsilon 2, whose steps are half a pixel value."""
    image = bench.pictures.add_in_memory(bench.photo)
    times = await bench.times(
        {
            "bare": lambda: _bare(bench),
            "8": lambda: _streamed(bench, image, 8),
            "2": lambda: _streamed(bench, image, 2),
        }
    )
    bench.forget(image)
    return [
        against_bare(f"{PGD}, epsilon {e}", bench.name, times[e], times["bare"], LIMIT)
        for e in ("8", "2")
    ]


async def _bare(bench: BenchServices) -> float:
    """Seconds of ten forward and backward passes, in the engine's thread."""
    picture = bench.picture[None].contiguous()
    items = bench.services.engine.stream(OWNER, lambda: _passes(bench.network, picture))
    return [item async for item in items][-1]


def _passes(network: Network, picture: Tensor) -> Iterator[int | float]:
    device = next(network.parameters()).device
    label = torch.zeros(1, dtype=torch.long, device=device)
    started = perf_counter()
    for _ in range(STEPS):
        x = picture.to(device).requires_grad_()
        torch.autograd.grad(F.cross_entropy(network(x), label), x)[0].cpu()
    yield perf_counter() - started


async def _streamed(bench: BenchServices, image: str, epsilon: float) -> float:
    """Seconds from the first call of the engine to the last step's event."""
    attacks = bench.services.attacks
    request = AttackRequest("pgd", epsilon, STEPS)
    attack = await attacks.prepare(bench.name, image, request)
    started = perf_counter()
    async with aclosing(attacks.stream(attack, OWNER)) as items:
        async for item in items:
            if isinstance(item, AttackMoment) and item.step == STEPS:
                break
    return perf_counter() - started
