"""A wanted file and the part of it that has come: on the disk, of known origin, one's own."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from app.errors import Cancelled, DownloadFailed

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class WantedFile:
    """One file: its address, its place, its size in bytes where known, and its SHA-256.

    `sha256` is all 64 hex digits or the first 8 and more; empty where nothing is published.
    Raises `ValueError` for anything else.
    """

    url: str
    path: Path
    bytes: int | None
    sha256: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([0-9a-fA-F]{8,64})?", self.sha256):
            raise ValueError(f"not a SHA-256 or its beginning: {self.sha256!r}")

    @property
    def host(self) -> str:
        """Whom the file comes from, for a sentence."""
        return urlsplit(self.url).hostname or self.url

    def beside(self, suffix: str) -> Path:
        """A file next to the wanted one."""
        return self.path.with_name(self.path.name + suffix)


class PartialFile:
    """What has come so far: `<name>.part`, and `<name>.part.json`, which says of what."""

    def __init__(self, wanted: WantedFile) -> None:
        self.wanted = wanted
        self.path = wanted.beside(".part")
        self._note = wanted.beside(".part.json")
        self._about = {"url": wanted.url, "sha256": wanted.sha256}
        self.forget()

    def forget(self) -> None:
        """Count from nothing; the files stay until `open`."""
        self.digest = hashlib.sha256()
        self.done = 0
        self.validator = ""

    def recall(self, stop: threading.Event) -> None:
        """Take up what an earlier attempt kept. Raises `Cancelled`."""
        go_on(stop)
        with suppress(FileNotFoundError, ValueError, TypeError, KeyError):
            note = json.loads(self._note.read_text(encoding="utf-8"))
            if note == self._about | {"validator": note["validator"]}:
                self.validator = str(note["validator"])
                self._hash(stop)

    def open(self, validator: str) -> IO[bytes]:
        """The file to write to, at the place where it goes on."""
        if self.done:
            return self.path.open("ab")
        self.discard()
        self.validator = validator
        if validator:
            note = json.dumps(self._about | {"validator": validator})
            self._note.write_text(note, encoding="utf-8")
        return self.path.open("wb")

    def discard(self) -> None:
        """Leave nothing behind."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _hash(self, stop: threading.Event) -> None:
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                go_on(stop)
                self.digest.update(chunk)
                self.done += len(chunk)


@contextmanager
def alone(wanted: WantedFile) -> Iterator[None]:
    """Nobody else fetches this file meanwhile; the lock is the system's, and no crash leaves it."""
    path = wanted.beside(".lock")
    with path.open("ab") as file:
        try:
            _lock(file.fileno())
            # Whoever had the lock may have removed this very file before it was ours.
            mine = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except (BlockingIOError, PermissionError, FileNotFoundError):
            mine = False
        if not mine:
            raise DownloadFailed(f"{wanted.path.name} is being downloaded already.")
        try:
            yield
        finally:
            if sys.platform == "win32":
                file.close()  # It removes no open file, nor one that somebody else has open.
            with suppress(PermissionError):
                path.unlink(missing_ok=True)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def writing(wanted: WantedFile) -> Iterator[None]:
    """What the disk refuses, in a sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = "the disk is full. Please make room and start again"
        folder, name = wanted.path.parent, wanted.path.name
        raise DownloadFailed(f"{name} cannot be written to {folder}: {reason}.") from error


def go_on(stop: threading.Event) -> None:
    """Raises `Cancelled` once `stop` is set."""
    if stop.is_set():
        raise Cancelled("The download was stopped.")
