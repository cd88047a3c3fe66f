"""An HTTP client that calls the app in process; responses are as sent over the network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True)
class BenchResponse:
    """A response; `body` is as sent, compressed where `headers` say so."""

    status: int
    headers: dict[str, str]
    body: bytes


async def get(app: ASGIApp, url: str, encoding: str = "gzip") -> BenchResponse:
    """GET a path with its query. Raises `LookupError` for a status other than 200."""
    path, _, query = url.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept-encoding", encoding.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    sent: list[Message] = []
    requested = False

    async def receive() -> Message:
        nonlocal requested
        if requested:
            await asyncio.Event().wait()  # the client stays until the response is complete
        requested = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return _response(url, sent)


def _response(url: str, sent: list[Message]) -> BenchResponse:
    start, *parts = sent
    if start["status"] != 200:
        raise LookupError(f"{url} answered {start['status']}")
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return BenchResponse(
        start["status"], headers, b"".join(part.get("body", b"") for part in parts)
    )
