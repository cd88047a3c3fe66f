"""Work for a request ends when whoever asked for it has left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import Request

from app.errors import BadRequest, Cancelled
from app.web.core.leaving import while_listened


def request(messages: asyncio.Queue[dict[str, Any]]) -> Request:
    return Request({"type": "http", "method": "GET", "headers": []}, messages.get)


async def test_it_returns_what_the_work_returns() -> None:
    async def work() -> int:
        return 7

    assert await while_listened(request(asyncio.Queue()), work()) == 7


async def test_an_error_of_the_work_is_raised() -> None:
    async def work() -> int:
        raise BadRequest("No.")

    with pytest.raises(BadRequest, match=r"No\."):
        await while_listened(request(asyncio.Queue()), work())


async def test_leaving_cancels_the_work() -> None:
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    messages.put_nowait({"type": "http.request"})
    ended = []

    async def work() -> None:
        messages.put_nowait({"type": "http.disconnect"})
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(Cancelled):
        await while_listened(request(messages), work())
    assert ended == [True]


async def test_a_request_that_is_cancelled_cancels_the_work() -> None:
    begun, ended = asyncio.Event(), []

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    task = asyncio.create_task(while_listened(request(asyncio.Queue()), work()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]
