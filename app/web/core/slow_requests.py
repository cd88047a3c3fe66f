"""Requests that never finish: a connection that sends a part of one is not kept for good."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.errors import BadRequest

HEAD_SECONDS = 20.0
"""Within this time the head of a request must be here."""
BODY_SECONDS = 30.0
"""Within this time the next piece of a request's body must come."""


class PatientProtocol(H11Protocol):
    """Closes a connection on which no whole head of a request has come in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._wait = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait.cancel()
        elif self._wait.cancelled():
            self._wait = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._wait.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


class SlowBodies:
    """Middleware that ends a request whose body does not go on in time (408)."""

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        whole = False

        async def receive_in_time() -> Message:
            nonlocal whole
            if whole:  # from now on it is only asked whether the client is there
                return await receive()
            try:
                message: dict[str, Any] = dict(await asyncio.wait_for(receive(), self._seconds))
            except TimeoutError:
                raise BadRequest("The upload did not go on. Please try again.") from None
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time, send)
