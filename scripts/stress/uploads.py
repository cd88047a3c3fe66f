"""Uploads that are broken, and uploads that were made to cost minutes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from scripts.stress.pictures import NAMES, bombs, mutated
from scripts.stress.posting import BOUNDARY, form, post
from scripts.stress.pulse import Pulse
from scripts.stress.report import REFUSED_SECONDS, PartReport
from scripts.stress.target import StressTarget, new_owner

TRIES, FEW = 2000, 60
AT_ONCE = 4


def broken_uploads(target: StressTarget, quick: bool) -> PartReport:
    """Mutated pictures with odd names, and forms that are no forms, four at a time."""
    report = PartReport("broken uploads")
    owner = new_owner()

    def send(number: int) -> tuple[int, float]:
        data, name = mutated(number), NAMES[number % len(NAMES)]
        body = _odd_form(number, form(data, name))
        began = time.perf_counter()
        return post(target.port, data, name, owner, body)[0], time.perf_counter() - began

    before = target.memory
    with Pulse(report, target.port), ThreadPoolExecutor(AT_ONCE) as pool:
        for status, seconds in pool.map(send, range(FEW if quick else TRIES)):
            report.saw(status, seconds)
    report.memory = (before, target.memory)
    report.freed = target.freed_in()
    return report


def costly_uploads(target: StressTarget, quick: bool) -> PartReport:
    """Each of the bombs, twice, from two browsers at once; each must be refused."""
    report = PartReport("bombs", slowest_allowed=REFUSED_SECONDS)
    made = list(bombs().items())[: 3 if quick else None]

    def send(data: bytes) -> tuple[int, float]:
        began = time.perf_counter()
        return post(target.port, data, owner=new_owner())[0], time.perf_counter() - began

    before = target.memory
    with Pulse(report, target.port, runs=True), ThreadPoolExecutor(2) as pool:
        for name, data in made:
            for status, seconds in pool.map(send, (data, data)):
                report.saw(status, seconds)
                if status not in (413, 415, 422):
                    report.faults.append(f"{name} was answered with {status}")
    report.memory = (before, target.memory)
    report.freed = target.freed_in()
    return report


def _odd_form(number: int, whole: bytes) -> bytes | None:
    """A form with something wrong, for one upload in five."""
    marker = f"--{BOUNDARY}".encode()
    match number % 20:
        case 3:
            return whole[: len(whole) // 2]
        case 7:
            return whole.replace(b'name="file"', b'name="other"')
        case 11:
            return whole.replace(marker, b"--wrong", 1)
        case 17:
            return whole + whole
    return None
