"""Benchmark from the weight file to the first prediction, against `torch.load` of that file."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from app.bench.bench_services import BenchServices
from app.bench.rows import BenchRow
from app.services.networks.loading import load
from app.services.networks.state_dict import to_state_dict
from app.services.networks.weight_files import WeightEntry
from models import registry

LOADING = "file on disk to the first answer"


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Measure a file in the published layout with seeded weights: as large and verified as usual.

    The file is in the system's cache both times; the reference is `torch.load` only.
    """
    entry = bench.services.catalogue.model(bench.name).entry
    if entry.row.embedded:
        return []
    tries = 3 if bench.quick else 7
    mine, alone = await asyncio.to_thread(_times, entry, bench.picture, tries)
    limit = 1.5 if bench.name == "alexnet" else None
    return [BenchRow(LOADING, bench.name, 1000 * mine, 1000 * alone, "ms", limit, True)]


def _times(entry: WeightEntry, picture: torch.Tensor, tries: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "published.pth"
        architecture = entry.row.architecture
        torch.save(to_state_dict(architecture, registry.seeded(architecture)), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        ours = WeightEntry(replace(entry.row, sha256=digest), path, "ready", True)
        times: list[tuple[float, float]] = []
        for _ in range(tries):
            started = perf_counter()
            torch.load(path, map_location="cpu", weights_only=True)
            between = perf_counter()
            with torch.inference_mode():
                load(ours)(picture[None])
            times.append((perf_counter() - between, between - started))
    return median(mine for mine, _ in times), median(alone for _, alone in times)
