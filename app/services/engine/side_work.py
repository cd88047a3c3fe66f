"""Short work beside the compute thread: projections, drawings, charts.

It has threads of its own, so that it never holds up what pages read from disk, and owners take
turns: thirty pictures that one browser asks for do not keep another one waiting.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import TypeVar
from weakref import WeakValueDictionary

from app.services.engine.owner import owner_as
from app.vision.interruption import interruptible

T = TypeVar("T")

MOST_THREADS = 8


class SideWork:
    """Runs blocking functions in a few threads; one owner has at most half of them.

    Create it in the thread of a running event loop, and call its coroutines there.
    """

    def __init__(self, threads: int = 0) -> None:
        threads = threads or max(2, min(MOST_THREADS, os.cpu_count() or 1))
        self._each = max(1, threads // 2)
        self._threads = ThreadPoolExecutor(threads, "layerscope-side")
        self._free = asyncio.Semaphore(threads)
        self._asked = 0
        self._owners: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def run(self, owner: str, work: Callable[[], T]) -> T:
        """What `work` returns. Cancelling it takes it from the queue, or stops it between layers.

        Owners take turns: each has its own places in the queue, in order.
        """
        mine = self._owners.setdefault(owner_as(owner).lane, asyncio.Semaphore(self._each))
        self._asked += 1
        try:
            async with mine, self._free:
                return await self._run(work)
        finally:
            self._asked -= 1

    async def _run(self, work: Callable[[], T]) -> T:
        left = False

        def watched() -> T:
            with interruptible(lambda: left):
                return work()

        running = asyncio.get_running_loop().run_in_executor(
            # What belongs to the request, such as the sub-path of its URLs, goes with its work.
            self._threads,
            copy_context().run,
            watched,
        )
        try:
            return await asyncio.shield(running)
        finally:
            if not running.done():
                # The thread is not free before it has ended: nobody else gets its place.
                left = True
                with suppress(Exception):
                    await asyncio.shield(running)

    @property
    def idle(self) -> bool:
        """Whether nothing runs or waits."""
        return not self._asked

    def close(self) -> None:
        """Drop what waits."""
        self._threads.shutdown(wait=False, cancel_futures=True)
