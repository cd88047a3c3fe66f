"""A long job's place in the queue, also for a page that begins again before its last has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from app.errors import Busy

PATIENCE, PAUSE = 2.0, 0.05
"""Seconds that a job waits for one's last to end, and between two looks."""

Items = TypeVar("Items", bound=AsyncIterator[Any])


async def begun(start: Callable[[], Items]) -> tuple[int, Items]:
    """The place, 0 goes next, and what comes after it. Raises `Busy` where one's last goes on.

    A page that begins again has left its last stream a moment ago.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        items = start()
        try:
            place = await anext(items)
        except Busy:
            if loop.time() >= until:
                raise
            await asyncio.sleep(PAUSE)
        else:
            return place if isinstance(place, int) else 0, items
