"""Waiting for what another task, thread or process brings about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

HANG = 120.0
"""Seconds after which a test gives up: only what hangs comes here, on the slowest machine too."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait in the event loop for something that another task or thread brings about."""
    async with asyncio.timeout(HANG):
        while not condition():
            await asyncio.sleep(0.002)


def wait_until(condition: Callable[[], bool]) -> None:
    """The same without an event loop."""
    end = time.monotonic() + HANG
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)
