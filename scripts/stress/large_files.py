"""Several people fetch the largest file that there is, at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from scripts.stress.pulse import Pulse
from scripts.stress.report import PartReport
from scripts.stress.target import StressTarget, get, new_owner

CLIENTS = 4
PATHS = {
    True: "/api/v1/models/alexnet-random/steps/fc6/weight.npy",
    False: "/api/v1/models/vgg16-random/steps/fc6/weight.npy",
}
"""151 MB, and 411 MB."""
ROOM = 600.0
"""MB by which memory may grow beyond the loaded network."""


def large_files(target: StressTarget, quick: bool) -> PartReport:
    """Four clients fetch the weights of a fully connected layer."""
    report, path = PartReport("4 large files"), PATHS[quick]
    # Loads the network: one channel's weights are small.
    get(target.port, f"{path}?channel=0")
    target.freed_in()
    before, most, ended = target.memory, 0.0, threading.Event()

    def sample() -> None:
        nonlocal most
        while not ended.wait(0.03):
            most = max(most, target.memory or 0.0)

    def fetch(_: int) -> tuple[int, float]:
        began = time.perf_counter()
        return get(target.port, path, new_owner(), timeout=120)[0], time.perf_counter() - began

    sampler = threading.Thread(target=sample)
    sampler.start()
    with Pulse(report, target.port, runs=True), ThreadPoolExecutor(CLIENTS) as pool:
        for status, seconds in pool.map(fetch, range(CLIENTS)):
            report.saw(status, seconds)
    ended.set()
    sampler.join()
    report.memory = (before, most or None)
    report.freed = target.freed_in()
    if before is not None and most > before + ROOM:
        report.faults.append(f"memory grew by {most - before:.0f} MB, not {ROOM:.0f}")
    if set(report.statuses) != {200}:
        report.faults.append(f"answers of {sorted(report.statuses)}")
    return report
