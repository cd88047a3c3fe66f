"""A real server in a thread, for what a test client cannot do: leave in the middle."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI

from app.settings import Settings
from app.web.app import create_app
from app.web.server import Server, configuration
from tests.support.waiting import HANG, wait_until


@contextmanager
def serving(folder: Path, *, behind_proxy: bool = False) -> Iterator[tuple[int, FastAPI]]:
    """Its port and its app."""
    app = create_app(Settings(data=folder, device="cpu"), behind_proxy=behind_proxy)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = Server(app, configuration(app))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        wait_until(lambda: server.started or not thread.is_alive())
        assert server.started
        yield listener.getsockname()[1], app
        server.should_exit = True
        thread.join(HANG)


def request(port: int, path: str, more: str = "") -> socket.socket:
    """A connection on which a GET was sent."""
    client = socket.create_connection(("127.0.0.1", port), HANG)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
    return client
