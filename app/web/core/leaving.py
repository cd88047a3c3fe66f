"""Work for one request that ends when whoever asked for it has left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from fastapi import Request

from app.errors import Cancelled

T = TypeVar("T")


async def while_listened(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns; it is cancelled when the client disconnects: then raises `Cancelled`.

    The body of the request must have been read.
    """
    task, left = asyncio.create_task(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait((task, left), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Cancelled("Whoever asked for this has left.")
    finally:
        for one in (task, left):
            one.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await one


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
