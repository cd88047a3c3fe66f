"""Requests that never finish do not stay: half a head, a body that stops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.errors import BadRequest
from app.web.core import slow_requests
from app.web.core.slow_requests import SlowBodies
from tests.support.real_server import serving
from tests.support.waiting import HANG


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(slow_requests, "HEAD_SECONDS", 0.2)
    with serving(tmp_path) as (found, _):
        yield found


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: lo"])
def test_half_a_head_is_not_waited_for(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), HANG) as client:
        client.sendall(sent)
        assert client.recv(100) == b""


def test_half_a_second_request_on_the_same_connection_neither(port: int) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), HANG) as client:
        client.sendall(request)
        assert b"200 OK" in client.recv(10_000)
        client.sendall(request[:20])
        rest = b""
        while piece := client.recv(10_000):
            rest += piece
        assert b"HTTP/1.1 200" not in rest


async def nobody(message: Message) -> None:
    raise AssertionError(message)


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    scope["left"] = (await receive())["type"]


async def test_a_body_that_stops_is_not_waited_for() -> None:
    messages: asyncio.Queue[Message] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": b"a", "more_body": True})
    with pytest.raises(BadRequest, match="did not go on"):
        await SlowBodies(read_all, 0.01)({"type": "http"}, messages.get, nobody)


async def test_a_whole_body_may_be_answered_slowly() -> None:
    messages: asyncio.Queue[Message] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": b"a", "more_body": True})
    messages.put_nowait({"type": "http.request", "body": b"b"})
    scope = {"type": "http"}
    leaves = asyncio.get_running_loop().call_later
    leaves(0.05, messages.put_nowait, {"type": "http.disconnect"})
    await SlowBodies(read_all, 0.01)(scope, messages.get, nobody)
    assert scope["left"] == "http.disconnect"
