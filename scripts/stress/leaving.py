"""Listeners that vanish in the middle of every kind of stream and of every large answer."""

from __future__ import annotations

import random
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

from scripts.stress.pulse import Pulse
from scripts.stress.report import PartReport
from scripts.stress.target import HOST, StressTarget, new_owner

LISTENERS, FEW = 200, 24
AT_ONCE = 20
_UNIT = "model=mini&image={image}&step=conv4&channel={n}"
_LARGE = "model=squeezenet1_1-random&image={image}&step=fire9.squeeze&channel={n}"
KINDS = (
    "/runs/mini/{image}/events",
    "/runs/vgg16-random/{image}/events",
    "/attack/events?model=mini&image={image}&method=pgd&steps=200&seed={n}",
    "/attack/events?model=vgg16-random&image={image}&method=pgd&steps=50&seed={n}",
    "/attack/sweep/events?model=mini&image={image}&seed={n}",
    f"/cut/occlusion/events?{_UNIT}",
    f"/cut/occlusion/events?{_LARGE}",
    f"/cut/ablation/events?{_UNIT}&by=logits",
    f"/synthesis/events?{_UNIT}&steps=512&seed={{n}}",
    "/lab/xo/events?seed={n}",
    "/api/v1/models/mini/steps/conv3/channels/{n}/synthesised/events?steps=512",
    "/api/v1/models/mini/steps/conv3/synthesised/events?steps=64",
    "/api/v1/runs/mini/{image}/steps/conv5/projection.png?channel={n}&method=guided",
    "/api/v1/runs/vgg16-random/{image}/steps/conv5_3/projection.png?channel={n}&method=guided",
    "/api/v1/models/vgg16-random/steps/fc6/weight.npy",
    "/attack/unusual?model=mini&image={image}",
)
"""Every stream, and what else takes long."""
IMAGES = ("coffee", "cat", "rocket", "monarch", "banana", "candle")


def vanishing(target: StressTarget, quick: bool) -> PartReport:
    """Two rounds of listeners who ask, read a little, and break the connection off."""
    report = PartReport("vanishing listeners")
    count = FEW if quick else LISTENERS
    after: list[float | None] = []
    refused = _refused(target)
    report.faults += refused
    before = target.memory
    with Pulse(report, target.port):
        for round_ in range(2):
            with ThreadPoolExecutor(AT_ONCE) as pool:
                jobs = ((target.port, round_ * count + n) for n in range(count))
                for status, seconds in pool.map(lambda job: _leave(*job), jobs):
                    report.saw(status, seconds)
            freed = target.freed_in()
            report.freed = max(report.freed or 0.0, freed) if freed is not None else None
            # The server gives memory back when it has rested for a while.
            time.sleep(1.0 if quick else 6.0)
            after.append(target.memory)
    report.rounds = (after[0], after[1])
    report.memory = (before, after[1])
    return report


def _path(number: int) -> str:
    return KINDS[number % len(KINDS)].format(image=IMAGES[number % len(IMAGES)], n=number % 24)


def _leave(port: int, number: int) -> tuple[int, float]:
    """The status that a listener saw before it left, and how long that took."""
    chosen, began = random.Random(number), time.perf_counter()
    with _asking(port, number) as client:
        client.settimeout(chosen.uniform(0.05, 0.6))
        try:
            head = client.recv(4096)
        except TimeoutError:
            # It left before anything came, which is no answer.
            head = b""
        # Broken off, not closed: as when a phone loses its network.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0, time.perf_counter() - began


def _asking(port: int, number: int) -> socket.socket:
    """A connection of somebody new, on which the path of that number was asked for."""
    client = socket.create_connection((HOST, port), 60)
    lines = (
        f"GET {_path(number)} HTTP/1.1",
        f"Host: {HOST}",
        "Accept: text/html, text/event-stream",
        f"Cookie: layerscope_owner={new_owner()}",
    )
    client.sendall("\r\n".join((*lines, "", "")).encode())
    return client


def _refused(target: StressTarget) -> list[str]:
    """Kinds that are no longer what this part thinks they are; loads the networks, too."""
    found = []
    for number, kind in enumerate(KINDS):
        with _asking(target.port, number) as client:
            status = client.recv(64)[9:12]
        if status not in (b"200", b"503"):
            found.append(f"{kind.partition('?')[0]} answered {status.decode()}")
    target.freed_in()
    return found
