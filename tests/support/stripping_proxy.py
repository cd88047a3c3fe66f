"""A proxy that serves a server under a sub-path, as notebook servers do.

It takes the path off, says so, and passes an answer on as it comes only where events alone are
asked for, and anything else when it is whole.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx2
import uvicorn
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tests.support.waiting import HANG, wait_until

HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})


class StrippingProxy:
    """An ASGI app that passes on what lies below `prefix`; `strays` were asked for outside it."""

    def __init__(self, server: str, prefix: str, says_so: bool = True) -> None:
        self._server, self.prefix, self._says_so = server, prefix, says_so
        self.strays: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            answer = await self._answer(Request(scope, receive))
            await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if not path.startswith(f"{self.prefix}/"):
            self.strays.append(path)
            return PlainTextResponse("This is another server’s part of the host.", 404)
        headers = [(k, v) for k, v in request.headers.items() if k not in HOP]
        headers.append(("x-forwarded-for", "203.0.113.7"))
        if self._says_so:
            headers.append(("x-forwarded-prefix", self.prefix))
        rest = str(request.url).partition(self.prefix)[2]
        client = httpx2.AsyncClient(base_url=self._server, timeout=HANG)
        asked = client.build_request(
            request.method, rest, headers=headers, content=await request.body()
        )
        answer = await client.send(asked, stream=True)
        pieces = _pieces(answer)
        if request.headers.get("accept") != "text/event-stream":
            pieces = _at_once([piece async for piece in pieces])
        passed = StreamingResponse(
            pieces, answer.status_code, background=BackgroundTask(client.aclose)
        )
        passed.raw_headers = [
            (k, v) for k, v in answer.headers.raw if k.lower().decode() not in HOP
        ]
        return passed


async def _pieces(answer: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


async def _at_once(pieces: list[bytes]) -> AsyncIterator[bytes]:
    yield b"".join(pieces)


@contextmanager
def proxying(proxy: StrippingProxy) -> Iterator[str]:
    """The address of a proxy in a thread of its own, with its sub-path."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(proxy, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        wait_until(lambda: server.started or not thread.is_alive())
        assert server.started
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{proxy.prefix}"
        server.should_exit = server.force_exit = True
        thread.join(HANG)
