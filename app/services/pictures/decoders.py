"""Decodes what people upload, in a few processes of their own that can be ended at any time.

A decode cannot be interrupted in a thread, and a file made for it takes minutes. Here it is ended
after `SECONDS`, or when whoever sent it leaves, and nothing else waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from PIL import Image

from app import errors
from app.errors import BrokenPicture, Cancelled, LayerscopeError
from app.pictures.decode import DecodedPicture
from app.pictures.decoding_process import ANSWER, REQUEST

PROCESSES = 2
SECONDS = 10.0
"""A photo of 25 million pixels takes one second."""

_ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "app.pictures.decoding_process"]


class Decoders:
    """A few processes that decode, one picture of an owner at a time; the others wait in order.

    Create it in the thread of a running event loop, and call its coroutines there.
    """

    def __init__(
        self, max_pixels: int, *, processes: int = PROCESSES, seconds: float = SECONDS
    ) -> None:
        self._max_pixels = max_pixels
        self.seconds = seconds
        self._all = [_Decoder() for _ in range(processes)]
        self._idle: asyncio.Queue[_Decoder] = asyncio.Queue()
        for one in self._all:
            self._idle.put_nowait(one)
        self._owners: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._threads = ThreadPoolExecutor(processes, "layerscope-decoder")
        self._closed = False

    def warm(self) -> list[int]:
        """Start the processes now, not at the first picture; their ids."""
        return [one.start().pid for one in self._all]

    async def decode(self, owner: str, read: Callable[[], Awaitable[bytes]]) -> DecodedPicture:
        """Decode a file, which is read when its turn has come. Cancelling it ends the decoding.

        Raises `NotAPicture`, `BrokenPicture`, `PictureTooLarge`, `Cancelled`.
        """
        lock = self._owners.setdefault(owner, asyncio.Lock())
        async with lock:
            decoder = await self._idle.get()
            try:
                return await self._run(decoder, await read())
            finally:
                self._idle.put_nowait(decoder)

    async def _run(self, decoder: _Decoder, data: bytes) -> DecodedPicture:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, decoder.decode, data, self._max_pixels)
        try:
            return await asyncio.wait_for(asyncio.shield(work), self.seconds)
        except TimeoutError:
            raise BrokenPicture(
                f"This picture takes more than {self.seconds:g} seconds to read, which no usual "
                "photo does. Open it in a picture program, save it again and choose that file."
            ) from None
        finally:
            if not work.done():
                decoder.end()
                with contextlib.suppress(Exception):
                    await asyncio.shield(work)
            if self._closed:
                raise Cancelled("The server is stopping.")

    async def close(self) -> None:
        """End the processes; whoever waits is told that the server is stopping."""
        self._closed = True
        for one in self._all:
            one.end()
        await asyncio.to_thread(self._threads.shutdown)


class _Decoder:
    """One process; it is started when it is needed, and again after it was ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._busy = False
        self._lock = threading.Lock()

    def start(self) -> subprocess.Popen[bytes]:
        """The running process."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                _close(self._process)
                self._process = subprocess.Popen(
                    COMMAND,
                    cwd=_ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
            return self._process

    def end(self) -> None:
        """End the process, whatever it does."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                # A pipe that another thread reads cannot be closed here: that thread does it.
                if not self._busy:
                    _close(self._process)

    def decode(self, data: bytes, max_pixels: int) -> DecodedPicture:
        """Blocks until the answer is here or the process has ended. Raises `PictureError`."""
        process = self.start()
        self._busy = True
        try:
            about, pixels = _asked(process, data, max_pixels)
        except (OSError, ValueError, struct.error) as error:
            process.kill()
            process.wait()
            _close(process)
            raise BrokenPicture(
                "This picture cannot be read here: the program that reads it broke off. Open it in "
                "a picture program, save it again and choose that file."
            ) from error
        finally:
            self._busy = False
        if "error" in about:
            kind: type[LayerscopeError] = getattr(errors, about["error"])
            raise kind(about["detail"])
        size = about["width"], about["height"]
        image = Image.frombytes("RGB", size, pixels)
        return DecodedPicture(image, *size, about["format"], tuple(about["notes"]))


def _asked(
    process: subprocess.Popen[bytes], data: bytes, max_pixels: int
) -> tuple[dict[str, Any], bytes]:
    """What the process says of a file, and its pixels; see `app.pictures.decoding_process`."""
    if process.stdin is None or process.stdout is None:
        raise ValueError("a decoder has pipes")
    process.stdin.write(REQUEST.pack(len(data), max_pixels))
    process.stdin.write(data)
    process.stdin.flush()
    text, pixels = ANSWER.unpack(process.stdout.read(ANSWER.size))
    return json.loads(process.stdout.read(text)), process.stdout.read(pixels)


def _close(process: subprocess.Popen[bytes] | None) -> None:
    for pipe in (process.stdin, process.stdout) if process else ():
        with contextlib.suppress(OSError):
            if pipe:
                pipe.close()
