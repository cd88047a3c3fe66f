"""A web server on this computer that misbehaves as a test tells it to."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.errors import DownloadFailed
from app.services.networks.fetch import Received, fetch
from app.services.networks.partial_file import WantedFile
from tests.support.waiting import HANG

BODY = random.Random(0).randbytes(300_000)
SIZE = len(BODY)
SHA = hashlib.sha256(BODY).hexdigest()
PARTS = ["toy.pth.part", "toy.pth.part.json"]


class MisbehavingServer(ThreadingHTTPServer):
    """Serves `body` at every address, well until a test sets one of its manners.

    `asked` are the heads of all requests, `sent` the bytes of `body` sent to each of them. Bytes
    are counted from the file's beginning, also in a rest.
    """

    # `server_close` then waits for every answer.
    daemon_threads = False

    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body = body
        self.asked: list[Message] = []
        self.sent: list[int] = []
        self.let = threading.Event()
        self.status = 200
        self.kind: str | None = "application/octet-stream"
        self.etag: str | None = '"one"'
        self.modified: str | None = None
        # Addresses that lead to others.
        self.redirects: dict[str, str] = {}
        # Closes the connection, or falls silent for too long, from this byte of the file on;
        # from -1 on it keeps even the answer's head. Or what it says makes no sense.
        self.cut: int | None = None
        self.stall: int | None = None
        self.gibberish = False
        # How the length is told: "length", "chunked", or not at all ("close").
        self.framing = "length"
        # Told instead of the length of what is sent.
        self.length: int | None = None
        # Whether it knows Range and If-Range, and what it says of the rest.
        self.ranges = True
        self.heeds_if_range = True
        self.content_range: str | None = None

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/toy.pth"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients that leave are what these tests are about."""


@contextmanager
def serving(body: bytes) -> Iterator[MisbehavingServer]:
    """A server in a thread, gone with its connections afterwards."""
    server = MisbehavingServer(body)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.let.set()
        server.shutdown()
        thread.join(HANG)
        server.server_close()


def wanted(
    server: MisbehavingServer, folder: Path, bytes: int | None = SIZE, sha256: str = SHA
) -> WantedFile:
    return WantedFile(server.url, folder / "toy.pth", bytes, sha256)


def get(wanted: WantedFile) -> list[Received]:
    return list(fetch(wanted, threading.Event()))


def problem(wanted: WantedFile) -> str:
    with pytest.raises(DownloadFailed) as caught:
        get(wanted)
    return caught.value.detail


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def behave(server: MisbehavingServer, **manners: Any) -> None:
    for name, value in manners.items():
        assert hasattr(server, name)
        setattr(server, name, value)


def broken(server: MisbehavingServer, folder: Path, **manners: Any) -> WantedFile:
    """A download that broke after 200,000 bytes; the server has its wits back."""
    file = wanted(server, folder)
    behave(server, cut=200_000, **manners)
    assert "broke" in problem(file)
    behave(server, cut=None)
    return file


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: MisbehavingServer

    def do_GET(self) -> None:
        manners = self.server
        manners.asked.append(self.headers)
        manners.sent.append(0)
        if manners.stall == -1:
            manners.let.wait(HANG)
        if manners.gibberish:
            self.wfile.write(b"gibberish\r\n\r\n")
            self.close_connection = True
        elif self.path in manners.redirects:
            self._head(302, {"Location": manners.redirects[self.path], "Content-Length": "0"})
        else:
            self._answer(len(manners.sent) - 1)

    def _answer(self, number: int) -> None:
        start = self._start()
        status = 206 if start and self.server.status == 200 else self.server.status
        if start >= len(self.server.body):
            self._head(416, {"Content-Length": "0"})
            return
        self._head(status, self._headers(start))
        for piece in self._pieces(start):
            # Counted first: who has received it all may look at once.
            self.server.sent[number] += len(piece)
            self._send(piece)
        if self.server.framing == "chunked" and self.server.cut is None:
            self.wfile.write(b"0\r\n\r\n")

    def _start(self) -> int:
        """Where the wanted rest begins; 0 where there is none or it is not to be had."""
        wanted, version = self.headers.get("Range"), self.headers.get("If-Range")
        known = version in (None, self.server.etag, self.server.modified)
        if wanted is None or not self.server.ranges or (self.server.heeds_if_range and not known):
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def _headers(self, start: int) -> dict[str, str | None]:
        manners, size = self.server, len(self.server.body)
        length = size - start if manners.length is None else manners.length
        right = f"bytes {start}-{size - 1}/{size}"
        return {
            "Content-Type": manners.kind,
            "ETag": manners.etag,
            "Last-Modified": manners.modified,
            "Content-Range": (manners.content_range or right) if start else None,
            "Content-Length": str(length) if manners.framing == "length" else None,
            "Transfer-Encoding": "chunked" if manners.framing == "chunked" else None,
        }

    def _head(self, status: int, headers: dict[str, str | None]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def _pieces(self, start: int) -> Iterator[bytes]:
        body = self.server.body[: self.server.cut]
        for at in range(start, len(body), 10_000):
            if self.server.stall is not None and at >= self.server.stall:
                self.server.let.wait(HANG)
            yield body[at : at + 10_000]

    def _send(self, piece: bytes) -> None:
        if self.server.framing == "chunked":
            piece = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        # The client may be gone, which is its right.
        with suppress(ConnectionError):
            self.wfile.write(piece)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
