"""Benchmark of the idle app's memory with its network loaded, against the bare network."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from pathlib import Path

from app.bench.rows import BenchRow

IDLE = "idle memory over the bare network"
_STATM = Path("/proc/self/statm")


def measure(name: str) -> list[BenchRow]:
    """Measure two new processes: the bare network after a forward pass, the app after a run."""
    bare, app = (_ask(what, name) for what in ("bare", "app"))
    return [BenchRow(IDLE, name, max(0.001, app - bare), 150.0, "MB")]


def resident() -> float:
    """Resident memory of this process in MB; its peak where the system reports only that."""
    if _STATM.is_file():
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


def _ask(what: str, name: str) -> float:
    command = [sys.executable, "-m", "app.bench.memory", what, name]
    root = Path(__file__).parents[2]
    answer = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    return float(answer.stdout)


def _bare(name: str) -> float:
    """Memory of this process after a forward pass of the bare network, with minimal imports."""
    import torch

    from app.bench.networks import loader, weight_files

    if (entry := weight_files().entry(name)) is None:
        raise LookupError(f"no network is called {name!r}")
    network = loader(entry)
    with torch.inference_mode():
        network(torch.rand(1, 3, network.input_size, network.input_size))
    gc.collect()
    return resident()


async def _app(name: str) -> float:
    """Memory of this process after it has served a page, run a picture and dropped it."""
    from app.bench.bench_services import open_bench
    from app.bench.client import get
    from app.bench.repeated_run import app_of, stream
    from app.bench.upload import draw_all

    async with open_bench(name) as bench:
        app = app_of(bench)
        image = bench.pictures.add_in_memory(bench.photo)
        await draw_all(bench, image)
        await stream(app, name, image)
        await get(app, "/healthz")
        bench.forget(image)
        gc.collect()
        return resident()


if __name__ == "__main__":
    kind, network_name = sys.argv[1:]
    megabytes = _bare(network_name) if kind == "bare" else asyncio.run(_app(network_name))
    sys.stdout.write(f"{megabytes}\n")
