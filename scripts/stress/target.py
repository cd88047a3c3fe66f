"""The server that is attacked: a process of this script's own, on this machine."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
STARTS = 60.0
"""Seconds that a server has to start, beside whatever else the machine does."""
_PROC = Path("/proc")


class StressTarget:
    """A server over the data folder `data`; `said` is what it printed.

    Raises `RuntimeError` where it does not answer in time.
    """

    def __init__(self, data: Path) -> None:
        self.data, self.said = data, ""
        self._process: subprocess.Popen[str] | None = None
        self.port = _free_port()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGTERM)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app", "--host", HOST, "--port", str(self.port)],
            cwd=ROOT,
            env={**os.environ, "LAYERSCOPE_DATA": str(self.data), "LAYERSCOPE_DEVICE": "cpu"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        end = time.monotonic() + STARTS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if get(self.port, "/healthz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        self.stop(signal.SIGKILL)
        raise RuntimeError(f"The server did not start: {self.said.strip()[-300:]}")

    def stop(self, how: signal.Signals) -> None:
        """End it: gently, or as a power cut does."""
        if self._process is None:
            return
        children = self._pids()[1:]
        self._process.send_signal(how)
        self.said = self._process.communicate(timeout=STARTS)[0]
        self._process = None
        for child in children:
            # Those that decode pictures end by themselves when their server is gone.
            end = time.monotonic() + STARTS
            while _alive(child) and time.monotonic() < end:
                time.sleep(0.02)

    @property
    def memory(self) -> float | None:
        """Resident memory of the server and its children in MB; None where nothing tells."""
        if not _PROC.is_dir():
            return None
        pages = sum(int(text.split()[1]) for text in self._each("statm"))
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def processor(self) -> float | None:
        """Seconds of processor time so far; None where nothing tells."""
        if not _PROC.is_dir():
            return None
        # After the name, which may hold spaces: the state, and from the eleventh on the times.
        words = (text.rpartition(")")[2].split() for text in self._each("stat"))
        ticks = sum(int(found[11]) + int(found[12]) for found in words)
        return ticks / os.sysconf("SC_CLK_TCK")

    def freed_in(self, most: float = 30.0) -> float | None:
        """Seconds from now until the server rests: under a quarter of a core for 0.3 s."""
        began = time.monotonic()
        if (before := self.processor) is None:
            return None
        while (now := time.monotonic()) - began < most:
            time.sleep(0.3)
            after = self.processor or 0.0
            if after - before < 0.075:
                return now - began
            before = after
        return most

    def _each(self, file: str) -> Iterator[str]:
        """What the system says of the server, then of each child that still runs."""
        for pid in self._pids():
            try:
                yield (_PROC / str(pid) / file).read_text()
            except OSError:
                continue

    def _pids(self) -> list[int]:
        if self._process is None:
            return []
        found = [self._process.pid]
        for pid in found:
            try:
                text = (_PROC / str(pid) / "task" / str(pid) / "children").read_text()
            except OSError:
                continue
            found += [int(one) for one in text.split()]
        return found


def get(port: int, path: str, owner: str = "", timeout: float = 30.0) -> tuple[int, bytes]:
    """The status and the body of an answer to a browser that has the cookie `owner`."""
    connection = HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", path, headers=cookie(owner))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def cookie(owner: str) -> dict[str, str]:
    """The headers of a browser known as `owner`; "" sends no cookie."""
    return {"Cookie": f"layerscope_owner={owner}"} if owner else {}


def new_owner() -> str:
    """A browser nobody has seen before."""
    return secrets.token_urlsafe(24)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _alive(pid: int) -> bool:
    try:
        state = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"
