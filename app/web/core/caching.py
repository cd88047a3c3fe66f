"""Middleware that responds 304 Not Modified where the browser's cached response is still valid."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Revalidate:
    """Turns a 200 whose ETag the browser already has into an empty 304 (RFC 9110, 13.1.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = Headers(scope=scope).get("if-none-match") if scope["type"] == "http" else None
        if known is None:
            await self._app(scope, receive, send)
            return
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        fresh = False

        async def send_or_not(message: Message) -> None:
            nonlocal fresh
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                fresh = message["status"] == 200 and headers.get("etag") in tags
                if fresh:
                    message["status"] = 304
                    for name in ("content-length", "content-type", "content-encoding"):
                        del headers[name]
            elif fresh:
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        await self._app(scope, receive, send_or_not)
