"""Sends results from the compute thread to the event loop's thread."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Outbox(Generic[T]):
    """Collects items for queues, so that the event loop is woken once for several items."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: list[tuple[asyncio.Queue[T], T]] = []

    def add(self, queue: asyncio.Queue[T], item: T) -> None:
        """Collect an item for a queue; `send` delivers it."""
        self._items.append((queue, item))

    def send(self) -> None:
        """Deliver all added items, waking the event loop once."""
        items, self._items = self._items, []
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_deliver, items)


def _deliver(items: list[tuple[asyncio.Queue[T], T]]) -> None:
    for queue, item in items:
        queue.put_nowait(item)
