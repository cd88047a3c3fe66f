"""Memory that is no longer used goes back to the system while nothing is computed.

Work that is broken off leaves objects that refer to each other, which Python finds only when it
looks for them; and glibc keeps what is freed between pieces still in use. After two hundred
attacks, projections and synthesised pictures whose listeners vanished, a server held a quarter to
a half more than it used (`docs/benchmarks.md`).
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import time

INTERVAL = 2.0
"""Seconds between two looks."""
RESTS = 0.2
"""Share of a core below which a process rests."""
WORTH = 0.5
"""Seconds of processor time after which there may be something to give back."""


def _library() -> ctypes.CDLL | None:
    """The C library that this process uses; None where it cannot be asked, as on Windows."""
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):
        return None


C_LIBRARY = _library()


def settle() -> None:
    """Take all that exists for what stays: looking for garbage then takes 1 ms, not 200."""
    gc.collect()
    gc.freeze()


def give_back(library: ctypes.CDLL | None = C_LIBRARY) -> None:
    """Free what refers only to itself, and return freed memory to the system where it can be."""
    gc.collect()
    if (trim := getattr(library, "malloc_trim", None)) is not None:
        # Other threads run on meanwhile: ctypes lets go of Python's lock.
        trim(0)


async def give_back_at_rest(interval: float = INTERVAL) -> None:
    """Give memory back each time that this process has worked and now rests, until cancelled."""
    seen = given = time.process_time()
    while True:
        await asyncio.sleep(interval)
        now = time.process_time()
        if now - seen < RESTS * interval and now - given > WORTH:
            await asyncio.to_thread(give_back)
            given = time.process_time()
        seen = now
