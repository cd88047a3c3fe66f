"""Freed memory goes back to the system when a process that has worked rests."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
import weakref

import pytest

from app.bench.memory import resident
from app.services.engine.spare_memory import C_LIBRARY, give_back, give_back_at_rest
from tests.support.waiting import HANG

MODULE = "app.services.engine.spare_memory"


class Node:
    """What refers to itself, as broken-off work does."""

    def __init__(self) -> None:
        self.me = self


@pytest.mark.parametrize("library", [C_LIBRARY, None])
def test_what_refers_only_to_itself_is_freed(library: ctypes.CDLL | None) -> None:
    gc.disable()
    try:
        gone = weakref.ref(Node())
        assert gone() is not None
        give_back(library)
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.skipif(sys.platform != "linux", reason="only there it can be measured")
def test_freed_pieces_go_back_to_the_system() -> None:
    """Every second piece of 100 MB stays, so that the heap cannot simply shrink."""
    pieces = [bytearray(60_000) for _ in range(1700)]
    full = resident()
    kept = pieces[::2]
    del pieces
    give_back()
    assert resident() < full - 30
    assert len(kept) == 850


class Processor:
    """Says how much time was used so far, look after look; then it rests for ever."""

    def __init__(self, *used: float) -> None:
        self._used = list(used)

    def __call__(self) -> float:
        return self._used.pop(0) if len(self._used) > 1 else self._used[0]


async def given(
    monkeypatch: pytest.MonkeyPatch, used: tuple[float, ...], most: int = 1
) -> list[float]:
    """What was used when memory was given back, until it was `most` times or nothing changes."""
    clock, times, looks = Processor(*used), list[float](), 0
    enough = asyncio.Event()

    def give() -> None:
        times.append(clock())
        if len(times) == most:
            enough.set()

    async def pause(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks > len(used) + 20:
            enough.set()
        await real(0)

    real = asyncio.sleep
    monkeypatch.setattr(f"{MODULE}.give_back", give)
    monkeypatch.setattr(f"{MODULE}.time.process_time", clock)
    monkeypatch.setattr(f"{MODULE}.asyncio.sleep", pause)
    async with asyncio.timeout(HANG):
        task = asyncio.create_task(give_back_at_rest(1.0))
        await enough.wait()
        task.cancel()
    return times


async def test_it_is_given_back_once_after_work(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await given(monkeypatch, (0.0, 3.0, 6.0, 6.01), most=2) == [6.01]


async def test_never_while_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    working = tuple(float(n) for n in range(30))
    assert await given(monkeypatch, (*working, 29.01), most=2) == [29.01]


async def test_not_for_a_look_at_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await given(monkeypatch, (0.0, 0.01, 0.02, 0.03)) == []
