"""Somebody else on the same server: asks how it is, and runs new pictures, in a process of its own.

What troubles the server also keeps this script busy; times that one process took of both would say
more about the script.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import Self

from scripts.stress.pictures import lettered
from scripts.stress.posting import post
from scripts.stress.report import PartReport, percentile
from scripts.stress.target import ROOT, get, new_owner

EVERY = 0.025
"""Seconds between two questions."""


class Pulse:
    """Fills in what a report says of somebody else while this context is open."""

    def __init__(self, report: PartReport, port: int, runs: bool = False) -> None:
        self._report, self._runs = report, runs
        self._command = [sys.executable, "-m", "scripts.stress.pulse", str(port), str(int(runs))]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        # What is measured begins when it is there.
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        text = self._process.communicate("", timeout=60)[0]
        if not text:
            self._report.faults.append("`/healthz` stopped answering")
            return
        told = json.loads(text)
        self._report.health = 1000 * percentile(told["health"], 0.99)
        self._report.faults += told["faults"]
        if self._runs and told["fresh"]:
            self._report.fresh = percentile(told["fresh"], 0.95)


def _watch(port: int, runs: bool) -> dict[str, list[float] | list[str]]:
    health: list[float] = []
    fresh: list[float] = []
    faults: list[str] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(EVERY):
            began = time.perf_counter()
            status, _ = get(port, "/healthz")
            health.append(time.perf_counter() - began)
            if status != 200:
                faults.append(f"`/healthz` answered {status}")

    def run() -> None:
        number = 0
        while not ended.wait(0.7):
            number += 1
            owner, began = new_owner(), time.perf_counter()
            status, body = post(port, lettered(90_000 + number), owner=owner)
            if status == 201:
                status, _ = get(port, f"/api/v1/runs/mini/{json.loads(body)['id']}", owner)
            fresh.append(time.perf_counter() - began)
            if status not in (200, 503):
                faults.append(f"a fresh run answered {status}")

    threads = [threading.Thread(target=one) for one in ((ask, run) if runs else (ask,))]
    for thread in threads:
        thread.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    return {"health": health, "fresh": fresh, "faults": faults}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_watch(int(sys.argv[1]), sys.argv[2] == "1")))
