"""Benchmark of the atlas pass over a folder, against the bare network on pictures in memory."""

from __future__ import annotations

import asyncio
import tempfile
from io import BytesIO
from pathlib import Path
from time import perf_counter

import torch
from PIL import Image
from torch import Tensor

from app.bench.bench_services import BenchServices, photo
from app.bench.rows import BenchRow
from app.pictures.preprocess import normalise
from app.services.atlas.building import AtlasOptions, AtlasPass
from app.services.atlas.folder import PictureFolder
from app.services.networks.catalogue import Model
from app.services.runs.run import preprocess
from models.graph import Network

ATLAS = "atlas pass over pictures of 64 px, each"
BATCH = 32
SIDE = 64


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Time per picture of both; the bar is 90 % of the bare network's pictures per second."""
    if bench.name not in ("mini", "alexnet", "squeezenet1_1"):
        return []
    model = bench.services.catalogue.model(bench.name)
    with tempfile.TemporaryDirectory() as temporary:
        images = Path(temporary) / "images"
        batches, rounds = (12, 1) if bench.quick else (64, 1)
        await asyncio.to_thread(_fill, images, BATCH * batches)
        ours, bare = await asyncio.to_thread(_times, model, bench.network, images, rounds)
    return [BenchRow(ATLAS, bench.name, ours, bare, "ms", 1 / 0.9, bare=True)]


def _fill(images: Path, count: int) -> None:
    """Write JPEGs of the size of Tiny ImageNet's: crops of the cup, each rotated differently."""
    images.mkdir()
    whole = Image.open(BytesIO(photo()))
    for i in range(count):
        part = whole.rotate(7 * i).resize((2 * SIDE, 2 * SIDE)).crop((32, 32, 96, 96))
        part.save(images / f"{i}.jpg", quality=90)


def _times(model: Model, network: Network, images: Path, rounds: int) -> tuple[float, float]:
    """Milliseconds for each picture: of the pass without its crops, and of the bare network.

    A complete pass alternates with as many bare batches: no reading ahead may run while the bare
    network is measured.
    """
    folder = PictureFolder.of(images)
    batch = _ready(model, folder)
    _bare(network, batch)
    passed = bare = 0.0
    for number in range(rounds):
        work = AtlasPass(
            model, network, folder, images.parent / str(number), AtlasOptions(BATCH, 10**9)
        )
        started = perf_counter()
        for progress in work.run():
            if progress.done == progress.total:
                break
        between = perf_counter()
        for _ in range(len(folder.names) // BATCH):
            _bare(network, batch)
        passed, bare = passed + between - started, bare + perf_counter() - between
    count = rounds * len(folder.names)
    return 1000 * passed / count, 1000 * bare / count


def _ready(model: Model, folder: PictureFolder) -> Tensor:
    prep = preprocess(model)
    return normalise(torch.stack([folder.read(i, prep) for i in range(BATCH)]), prep)


def _bare(network: Network, batch: Tensor) -> None:
    with torch.inference_mode():
        network(batch)
