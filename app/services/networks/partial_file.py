"""A file to download and its partial file on disk: resuming, locking, write errors."""

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
from app.services.data_folder import lock

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file to download: URL, local path, size in bytes if known, and SHA-256.

    `sha256` has all 64 hex digits or at least the first 8; "" if none is published. Raises
    `ValueError` for anything else.
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
        """The host name, for error sentences."""
        return urlsplit(self.url).hostname or self.url

    def sibling(self, suffix: str) -> Path:
        """The path of a helper file next to it, `<name><suffix>`."""
        return self.path.with_name(self.path.name + suffix)


class PartialFile:
    """The data received so far, in `<name>.part`; `<name>.part.json` says of which file."""

    def __init__(self, wanted: WantedFile) -> None:
        self.wanted = wanted
        self.path = wanted.sibling(".part")
        self._note = wanted.sibling(".part.json")
        self._about = {"url": wanted.url, "sha256": wanted.sha256}
        self.forget()

    def forget(self) -> None:
        """Start from zero bytes; the files stay until `open`."""
        self.digest = hashlib.sha256()
        self.done = 0
        self.validator = ""

    def recall(self, stop: threading.Event) -> None:
        """Load the state of an earlier attempt. Raises `Cancelled`."""
        check_stop(stop)
        with suppress(FileNotFoundError, ValueError, TypeError, KeyError):
            note = json.loads(self._note.read_text(encoding="utf-8"))
            if note == self._about | {"validator": note["validator"]}:
                self.validator = str(note["validator"])
                self._hash(stop)

    def open(self, validator: str) -> IO[bytes]:
        """Open the file for writing, at the position where the download resumes."""
        if self.done:
            return self.path.open("ab")
        self.discard()
        self.validator = validator
        if validator:
            note = json.dumps(self._about | {"validator": validator})
            self._note.write_text(note, encoding="utf-8")
        return self.path.open("wb")

    def discard(self) -> None:
        """Delete both files."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _hash(self, stop: threading.Event) -> None:
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                check_stop(stop)
                self.digest.update(chunk)
                self.done += len(chunk)


@contextmanager
def locked(wanted: WantedFile) -> Iterator[None]:
    """Lock the download against other processes; the system releases the lock after a crash."""
    path = wanted.sibling(".lock")
    with path.open("ab") as file:
        try:
            lock(file.fileno())
            # The previous owner of the lock may have deleted this file before we locked it.
            mine = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except (BlockingIOError, PermissionError, FileNotFoundError):
            mine = False
        if not mine:
            raise DownloadFailed(f"{wanted.path.name} is being downloaded already.")
        try:
            yield
        finally:
            if sys.platform == "win32":
                file.close()  # Windows deletes no file that is open anywhere.
            with suppress(PermissionError):
                path.unlink(missing_ok=True)


@contextmanager
def explain_write_errors(wanted: WantedFile) -> Iterator[None]:
    """Turn `OSError` while writing into `DownloadFailed`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = "the disk is full. Please make room and start again"
        folder, name = wanted.path.parent, wanted.path.name
        raise DownloadFailed(f"{name} cannot be written to {folder}: {reason}.") from error


def check_stop(stop: threading.Event) -> None:
    """Raise `Cancelled` if `stop` is set."""
    if stop.is_set():
        raise Cancelled("The download was stopped.")
