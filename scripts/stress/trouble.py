"""Power cuts, full disks and folders that cannot be written."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from scripts.stress.pictures import lettered, noise
from scripts.stress.posting import post
from scripts.stress.report import PartReport
from scripts.stress.slow_files import SlowFiles
from scripts.stress.target import ROOT, StressTarget, get, new_owner

CUTS, FEW_CUTS = 8, 2
UPLOADERS = 4
GROWN = "/api/v1/models/mini/steps/conv2/channels/{n}/synthesised/events?steps=16&seed={seed}"
SMALL_DISK = "8m"


def killed_servers(folder: Path, quick: bool) -> PartReport:
    """Servers killed while pictures are uploaded and others are kept; each then starts again."""
    report, kept = PartReport("power cuts"), dict[str, tuple[str, int]]()
    target = StressTarget(folder / "data")
    target.start()
    for cut in range(FEW_CUTS if quick else CUTS):
        accepted = _uploads_until_killed(target, report, cut)
        kept.update(accepted)
        began = time.perf_counter()
        target.start()
        report.saw(200, time.perf_counter() - began)
        report.lost = sum(not _is_there(target, *one) for one in kept.items())
    report.faults += _broken_files(folder / "data")
    target.stop(signal.SIGTERM)
    return report


def killed_downloads(folder: Path, quick: bool) -> PartReport:
    """Downloads killed in the middle; each goes on, and at last the file is whole."""
    report, content = PartReport("downloads killed"), random.Random(5).randbytes(3_000_000)
    path = folder / "weights.bin"
    with SlowFiles(content) as server:
        for cut in range(FEW_CUTS if quick else CUTS):
            child = subprocess.Popen(
                [sys.executable, "-m", "scripts.stress.slow_files", server.url, str(path)], cwd=ROOT
            )
            time.sleep(0.6 + 0.1 * cut)
            child.kill()
            child.wait()
            report.saw(200, 0.0)
            if path.exists() and path.read_bytes() != content:
                report.faults.append("half a file stands there as a whole one")
        server.delay = 0.0
        began = time.perf_counter()
        command = [sys.executable, "-m", "scripts.stress.slow_files", server.url, str(path)]
        ended = subprocess.run(command, cwd=ROOT, check=False)
        report.saw(200 if ended.returncode == 0 else 500, time.perf_counter() - began)
        if not path.exists() or path.read_bytes() != content:
            report.lost += 1
        if not server.continued:
            report.faults.append("no download went on where it had stopped")
    return report


def full_disk(folder: Path, quick: bool) -> PartReport:
    """A server on a small disk that pictures fill: it says so, and everything else goes on."""
    report = PartReport("full disk")
    with _mounted(folder / "disk", f"size={SMALL_DISK}") as disk:
        if disk is None:
            report.skipped = "a small disk can be made by the administrator only"
            return report
        with StressTarget(disk / "data") as target:
            owner, kept = new_owner(), dict[str, tuple[str, int]]()
            for number in range(12 if quick else 60):
                began = time.perf_counter()
                status, body = post(target.port, noise(number), owner=owner)
                report.saw(status, time.perf_counter() - began)
                if status == 201:
                    kept[json.loads(body)["id"]] = (owner, number)
                elif status in (0, 500):
                    report.faults.append(f"an upload was answered with {status}")
                elif b"detail" not in body:
                    report.faults.append(f"{status} came without a sentence")
            for path in ("/", "/api/v1/runs/mini/cat", "/lab/grid", GROWN.format(n=1, seed=1)):
                began = time.perf_counter()
                report.saw(get(target.port, path)[0], time.perf_counter() - began)
            report.lost = sum(not _is_there(target, *one, noise) for one in kept.items())
            if not report.statuses[507] and not report.statuses[503] and not quick:
                report.faults.append("the disk never was full")
    return report


def read_only(folder: Path, quick: bool) -> PartReport:
    """A data folder that cannot be written: a sentence at the start, no traceback."""
    report = PartReport("read-only folder")
    with _mounted(folder / "disk", "ro") as disk:
        if disk is None:
            report.skipped = "a folder can be made read-only by the administrator only"
            return report
        target, began = StressTarget(disk), time.perf_counter()
        try:
            with target:
                report.saw(200, time.perf_counter() - began)
                status, body = post(target.port, lettered(1), owner=new_owner())
                report.saw(status, time.perf_counter() - began)
                if status in (0, 201, 500) or b"detail" not in body:
                    report.faults.append(f"an upload was answered with {status}")
        except RuntimeError:
            report.saw(200, time.perf_counter() - began)
            if "Traceback" in target.said or not target.said.strip():
                report.faults.append("no sentence at the start")
    return report


def _uploads_until_killed(
    target: StressTarget, report: PartReport, cut: int
) -> dict[str, tuple[str, int]]:
    """Upload and synthesise until the power is cut; the pictures that were accepted."""
    kept, ended = dict[str, tuple[str, int]](), threading.Event()

    def upload(which: int) -> None:
        owner, number = new_owner(), 10_000 * cut + 1_000 * which
        while not ended.is_set():
            number += 1
            began = time.perf_counter()
            status, body = post(target.port, lettered(number), owner=owner)
            if status == 201:
                kept[json.loads(body)["id"]] = (owner, number)
            if status:
                report.saw(status, time.perf_counter() - began)

    def grow() -> None:
        seed = 0
        while not ended.is_set():
            seed += 1
            try:
                get(target.port, GROWN.format(n=cut, seed=seed), new_owner())
            except OSError:
                return

    threads = [threading.Thread(target=upload, args=(n,)) for n in range(UPLOADERS)]
    threads.append(threading.Thread(target=grow))
    for thread in threads:
        thread.start()
    time.sleep(1.0 + 0.37 * cut)
    target.stop(signal.SIGKILL)
    ended.set()
    for thread in threads:
        thread.join()
    return kept


def _is_there(
    target: StressTarget,
    image: str,
    brought: tuple[str, int],
    drawn: Callable[[int], bytes] = lettered,
) -> bool:
    """Whether a picture that was accepted is served as it was, to the browser that brought it."""
    owner, number = brought
    status, body = get(target.port, f"/api/v1/images/{image}.png", owner)
    if status != 200:
        return False
    return _pixels(body) == _pixels(drawn(number))


def _pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB").tobytes()


def _broken_files(data: Path) -> list[str]:
    """Kept pictures in the data folder that are not whole; there must be some."""
    pictures = list((data / "synthesised").rglob("*.png"))
    broken = [] if pictures else ["no synthesised picture was kept"]
    for path in pictures:
        try:
            with Image.open(path) as image:
                image.load()
        except OSError:
            broken.append(f"{path.relative_to(data)} is not whole")
    return broken


@contextmanager
def _mounted(place: Path, options: str) -> Iterator[Path | None]:
    """A small disk in memory at `place`; None where one may not be mounted."""
    place.mkdir()
    administrator = hasattr(os, "geteuid") and os.geteuid() == 0
    command = ["mount", "-t", "tmpfs", "-o", options, "layerscope-stress", str(place)]
    if not administrator or subprocess.run(command, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
