"""The data folder belongs to one server: a second one would delete what the first just kept."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.errors import DataUnusable
from app.services.files import regular

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK = "lock"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class HeldFolder:
    """The locked file in a folder, and how many hold it."""

    file: IO[bytes]
    count: int = 0


_held: dict[Path, HeldFolder] = {}
"""What this process holds: the lock is one between processes, within one it can be shared."""
_holding = threading.Lock()


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Make the folder if needed, and hold it while inside; the system lets go after a crash.

    Raises `DataUnusable` if another process holds it, or nothing can be written there.
    """
    here = folder.resolve()
    with _holding:
        if here not in _held:
            _held[here] = HeldFolder(_locked(here))
        _held[here].count += 1
    try:
        yield
    finally:
        with _holding:
            _held[here].count -= 1
            if not _held[here].count:
                _held.pop(here).file.close()


def _locked(folder: Path) -> IO[bytes]:
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            regular(path)
        file = path.open("ab")
    except OSError as error:
        raise DataUnusable(
            f"Nothing can be written into the folder {folder}: {error.strerror}. Name another one "
            "in LAYERSCOPE_DATA."
        ) from error
    try:
        lock(file.fileno())
    except (BlockingIOError, PermissionError) as error:
        file.close()
        raise DataUnusable(
            f"Another Layerscope is running on the folder {folder}. Stop that one first, or give "
            "this one a folder of its own in LAYERSCOPE_DATA."
        ) from error
    except OSError as error:
        # As on some network drives: there, nobody can tell.
        _log.warning("%s cannot be locked (%s): start only one server on it.", folder, error)
    return file


def lock(file: int) -> None:
    """Lock an open file against other processes, or raise `BlockingIOError`, `PermissionError`."""
    if sys.platform == "win32":
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
