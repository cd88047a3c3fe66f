"""Sixty people at once, each doing something else."""

from __future__ import annotations

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

from scripts.stress.pictures import lettered
from scripts.stress.posting import BOUNDARY, UPLOAD, form
from scripts.stress.pulse import Pulse
from scripts.stress.report import PartReport
from scripts.stress.target import HOST, StressTarget, cookie, new_owner

PEOPLE, SECONDS = 60, 120.0
FEW, SHORT = 6, 4.0
MASK = "ff00" * 8 + "0000" * 8
"""The upper left quarter, as the page names what is covered."""
PAGES = (
    "/?model=mini&image={image}",
    "/runs/mini/{image}/events",
    "/?model=mini&image={image}&step=conv{layer}&channel={n}",
    "/?model=mini&image={image}&step=conv{layer}&channel={n}&y=2&x=2&zoom=arithmetic",
    "/panels/projections?model=mini&image={image}&step=conv{layer}&channel={n}",
    "/api/v1/runs/mini/{image}/steps/conv{layer}/explain?channel={n}&y=1&x=2",
    "/api/v1/runs/mini/{image}/steps/conv{layer}.png",
    "/cut/cover?model=mini&image={image}&step=conv{layer}&channel={n}&cover={mask}",
    "/attack/events?model=mini&image={image}&method=pgd&steps=20",
    "/attack/unusual?model=mini&image={image}",
    "/layers/{layer}?model=mini&image={image}",
    "/compare?model=mini&image={image}",
    "/lab/grid",
    "/lab/xo",
    "/lab/photo?image={image}",
)


def crowd(target: StressTarget, quick: bool) -> PartReport:
    """Each uploads a picture of their own, looks at pages of it, and deletes it at last."""
    report, lock = PartReport("60 people"), threading.Lock()
    people, seconds = (FEW, SHORT) if quick else (PEOPLE, SECONDS)
    report.name = f"{people} people, {seconds:g} s"
    until = time.monotonic() + seconds

    def live(number: int) -> None:
        for status, took in _visit(target.port, number, until):
            with lock:
                report.saw(status, took)

    before = target.memory
    with Pulse(report, target.port, runs=True), ThreadPoolExecutor(people) as pool:
        list(pool.map(live, range(people)))
    report.memory = (before, target.memory)
    report.freed = target.freed_in()
    if broken := report.statuses.pop(0, 0):
        report.faults.append(f"{broken} connections broke")
    if strange := [code for code in report.statuses if 400 <= code < 500]:
        report.faults.append(f"good requests were answered with {strange}")
    return report


def _visit(port: int, number: int, until: float) -> list[tuple[int, float]]:
    """What one person was answered, and how long each answer took."""
    chosen, owner, image = random.Random(number), new_owner(), "coffee"
    seen: list[tuple[int, float]] = []
    connection = HTTPConnection(HOST, port, timeout=120)

    def ask(method: str, path: str, body: bytes | None = None) -> bytes:
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        headers = {"Accept": "text/html, text/event-stream", "Content-Type": kind, **cookie(owner)}
        if path.startswith("/api/"):
            headers["Accept"] = "*/*"
        began, status, data = time.perf_counter(), 0, b""
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            status, data = answer.status, answer.read()
        except (OSError, HTTPException):
            connection.close()
        seen.append((status, time.perf_counter() - began))
        return data

    time.sleep(chosen.uniform(0, 1))
    while time.monotonic() < until:
        if image == "coffee" or chosen.random() < 0.05:
            told = ask("POST", UPLOAD, form(lettered(1_000 * number + len(seen))))
            if seen[-1][0] == 201:
                image = json.loads(told)["id"]
        layer = chosen.randrange(1, 6)
        path = chosen.choice(PAGES).format(
            image=image, layer=layer, n=chosen.randrange(24), mask=MASK
        )
        ask("GET", path)
        time.sleep(chosen.uniform(0.3, 2.0))
    if image != "coffee":
        ask("DELETE", f"/api/v1/images/{image}.png")
    connection.close()
    return seen
