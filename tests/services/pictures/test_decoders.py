"""Uploads are decoded in processes of their own: bounded, ended on leaving, replaced, warm."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.errors import BrokenPicture, Cancelled, NotAPicture, PictureTooLarge
from app.pictures.decode import decode
from app.services.pictures import decoders as module
from app.services.pictures.decoders import Decoders
from tests.support.waiting import HANG

SLOW = """
import struct, sys, time
while head := sys.stdin.buffer.read(16):
    sys.stdin.buffer.read(struct.unpack("<QQ", head)[0])
    open({path!r}, "a").write("begun\\n")
    time.sleep(600)
"""


def photo(seed: int = 0, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def given(data: bytes) -> Callable[[], Awaitable[bytes]]:
    async def read() -> bytes:
        return data

    return read


@pytest.fixture
async def pool() -> AsyncIterator[Decoders]:
    made = Decoders(1_000_000, processes=1)
    yield made
    await made.close()


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Decoders that never answer; a line of this file is a picture that one has begun."""
    begun = tmp_path / "begun"
    command = [sys.executable, "-c", SLOW.format(path=str(begun))]
    monkeypatch.setattr(module, "COMMAND", command)
    return begun


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG):
        while not condition():
            await asyncio.sleep(0.01)


async def test_it_decodes_as_this_process_would(pool: Decoders) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        data = photo(kind=kind)
        here, there = decode(data), await pool.decode("ann", given(data))
        assert there.image.tobytes() == here.image.tobytes()
        assert (there.width, there.height) == (80, 60)
        assert (there.format, there.notes) == (here.format, here.notes)


async def test_what_is_wrong_is_told_in_the_same_words(pool: Decoders) -> None:
    for data, kind in ((b"hello", NotAPicture), (photo()[:300], BrokenPicture)):
        with pytest.raises(kind) as here:
            decode(data)
        with pytest.raises(kind) as there:
            await pool.decode("ann", given(data))
        assert there.value.detail == here.value.detail


async def test_the_limit_of_pixels_goes_with_the_request() -> None:
    pool = Decoders(1_000, processes=1)
    with pytest.raises(PictureTooLarge):
        await pool.decode("ann", given(photo()))
    await pool.close()


async def test_one_that_takes_too_long_is_ended_and_replaced(
    slow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Decoders(1_000_000, processes=1, seconds=0.05)
    with pytest.raises(BrokenPicture, match=r"more than 0\.05 seconds"):
        await pool.decode("ann", given(photo()))
    monkeypatch.undo()
    pool.seconds = HANG
    assert (await pool.decode("ann", given(photo()))).width == 80
    await pool.close()


async def test_leaving_ends_it_and_the_next_goes_on(
    slow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Decoders(1_000_000, processes=1, seconds=HANG)
    task = asyncio.create_task(pool.decode("ann", given(photo())))
    await until(slow.exists)
    monkeypatch.undo()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await pool.decode("ben", given(photo()))).width == 80
    await pool.close()


async def test_a_process_that_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Decoders(1_000_000, processes=1)
    monkeypatch.setattr(module, "COMMAND", [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(BrokenPicture, match="broke off"):
        await pool.decode("ann", given(photo()))
    monkeypatch.undo()
    assert (await pool.decode("ann", given(photo()))).width == 80
    await pool.close()


async def test_one_person_has_one_at_a_time_and_others_are_not_held_up(slow: Path) -> None:
    pool = Decoders(1_000_000, processes=2, seconds=HANG)
    read: list[str] = []

    def mine(name: str) -> Callable[[], Awaitable[bytes]]:
        async def reading() -> bytes:
            read.append(name)
            return photo()

        return reading

    asked = ["ann", "ann", "ben", "cem"]
    tasks = [asyncio.create_task(pool.decode(one, mine(one))) for one in asked]
    # Nothing more than what is decoded is in memory: the others are read when it is their turn.
    await until(lambda: slow.exists() and slow.read_text().count("begun") == 2)
    assert read == ["ann", "ben"]
    tasks[0].cancel()
    await until(lambda: len(read) == 3)
    assert sorted(read[2:]) in (["ann"], ["cem"])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await pool.close()


async def test_closing_tells_whoever_waits(slow: Path) -> None:
    pool = Decoders(1_000_000, processes=1, seconds=HANG)
    task = asyncio.create_task(pool.decode("ann", given(photo())))
    await until(slow.exists)
    await pool.close()
    with pytest.raises((Cancelled, BrokenPicture)):
        await task


async def test_warm_processes_are_there_before_the_first_picture(pool: Decoders) -> None:
    (first,) = pool.warm()
    await pool.decode("ann", given(photo()))
    assert pool.warm() == [first]


def test_the_process_imports_no_torch() -> None:
    import subprocess

    code = "import app.pictures.decoding_process, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
