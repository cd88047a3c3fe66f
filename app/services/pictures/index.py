"""The index of uploaded pictures, in SQLite: made again when it is gone or damaged."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from app.errors import Busy, DataUnusable, NotWritten
from app.services.files import regular

T = TypeVar("T")
PictureRow = tuple[str, int, int, int, str, float]
"""Id, width, height, bytes, notes as JSON (of an old index), expiry: a row of `pictures`."""

ID = re.compile(r"[0-9a-f]{32}")

PATIENCE = 5.0
"""Seconds to wait for another program that reads or writes the same file."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pictures (
    id TEXT PRIMARY KEY, width INTEGER, height INTEGER, bytes INTEGER, notes TEXT, expires REAL
);
CREATE TABLE IF NOT EXISTS owners (
    picture TEXT REFERENCES pictures(id) ON DELETE CASCADE, owner TEXT, name TEXT, added REAL,
    notes TEXT, PRIMARY KEY (picture, owner)
);
"""
_NOTES_MOVE = """
ALTER TABLE owners ADD COLUMN notes TEXT;
UPDATE owners SET notes = (SELECT notes FROM pictures WHERE id = picture);
"""
"""An index of before: what was done to an upload is told to whoever brought it, not to others."""
_ENTER = "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?)"
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PARTS = ("", "-wal", "-shm")

_log = logging.getLogger(__name__)


class PictureIndex:
    """The index at `path`; `salvage` gives the rows of a new one, from what lies in the folder.

    Not thread-safe: the store that owns it has a lock. Raises `DataUnusable` if it cannot be
    opened or made.
    """

    def __init__(self, path: Path, salvage: Callable[[], Iterable[PictureRow]]) -> None:
        self._path = path
        self._salvage = salvage
        self._index = self._opened()
        self._state = os.stat(path)

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do some work in one transaction; again if the index was damaged and is made anew.

        Raises `Busy` if another program holds it, `NotWritten` if the disk is full or protected.
        """
        if self._is_gone():
            self._open_again()
        try:
            return self._attempt(work)
        except sqlite3.DatabaseError as error:
            if not _is_damaged(error):
                raise
            self._set_aside(error)
            return self._attempt(work)

    def close(self) -> None:
        """Close it; the file stays."""
        self._index.close()

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with self._index:
                return work(self._index)
        except sqlite3.OperationalError as error:
            if _is_damaged(error):
                raise
            if _code(error) in _BUSY:
                raise Busy(
                    "Another program is busy with this server's list of pictures. Please try again "
                    "in a few seconds."
                ) from error
            raise NotWritten(
                f"This server's list of pictures cannot be read or written ({error}). Its operator "
                "must look after the disk; please try again later."
            ) from error

    def _opened(self) -> sqlite3.Connection:
        """Open the file. A damaged one is put aside, a new one gets the rows of the folder."""
        for _ in range(2):
            new = not self._path.exists()
            try:
                index = self._connected()
                if new:
                    rows = list(self._salvage())
                    if rows:
                        _log.warning(
                            "%s: %d pictures entered from the folder.", self._path, len(rows)
                        )
                    with index:
                        index.executemany(_ENTER, rows)
                return index
            except sqlite3.DatabaseError as error:
                if not _is_damaged(error):
                    raise DataUnusable(f"{self._path} cannot be opened: {error}.") from error
                self._rename(error)
            except OSError as error:
                raise DataUnusable(f"{self._path} cannot be opened: {error.strerror}.") from error
        raise DataUnusable(f"{self._path} is damaged and could not be put aside.")

    def _connected(self) -> sqlite3.Connection:
        if os.path.lexists(self._path):
            regular(self._path)
        index = sqlite3.connect(self._path, timeout=PATIENCE, check_same_thread=False)
        try:
            index.execute("PRAGMA foreign_keys = ON")
            index.execute("PRAGMA journal_mode = WAL")
            tables = "SELECT 1 FROM sqlite_master WHERE name = 'pictures'"
            new = index.execute(tables).fetchone() is None
            index.executescript(_SCHEMA)
            (found,) = index.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(f"malformed: {found}")
            # Of another program, its tables may have the same names.
            index.execute("SELECT id, width, height, bytes, notes, expires FROM pictures LIMIT 1")
            index.execute("SELECT picture, owner, name, added FROM owners LIMIT 1")
            if "notes" not in {row[1] for row in index.execute("PRAGMA table_info(owners)")}:
                index.executescript(_NOTES_MOVE)
            if new and (rows := list(self._salvage())):
                _log.warning("%s is new: %d pictures lie in the folder.", self._path, len(rows))
                with index:
                    index.executemany(_ENTER, rows)
        except BaseException:
            index.close()
            raise
        return index

    def _is_gone(self) -> bool:
        """Whether the file was deleted, or replaced by another, while it was open."""
        try:
            return not os.path.samestat(self._path.stat(), self._state)
        except OSError:
            return True

    def _open_again(self) -> None:
        """Make the file again with all that the open one still knows; SQLite kept that."""
        _log.warning("%s is gone, and is made again.", self._path)
        before = self._index
        for part in _PARTS[1:]:
            with suppress(OSError):
                self._path.with_name(self._path.name + part).unlink()
        self._make_folder()
        self._index = self._opened()
        self._state = os.stat(self._path)
        with suppress(sqlite3.Error), self._index:
            rows = before.execute("SELECT * FROM pictures").fetchall()
            owners = before.execute("SELECT * FROM owners").fetchall()
            self._index.executemany(
                "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            self._index.executemany("INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?, ?)", owners)
        before.close()

    def _make_folder(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotWritten(
                "The folder for pictures is gone, and cannot be made again "
                f"({error.strerror}). The operator of this server must look after it."
            ) from error

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """Replace a damaged index by one of what lies in the folder."""
        self._index.close()
        self._rename(error)
        self._index = self._opened()
        self._state = os.stat(self._path)

    def _rename(self, error: sqlite3.DatabaseError) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged-{time.time_ns()}")
        _log.warning(
            "%s is damaged (%s). It is kept as %s; the pictures in the folder get a new index, "
            "without owners: nobody lists them, links to them work until they expire.",
            self._path, error, aside.name,
        )  # fmt: skip
        for part in _PARTS:
            with suppress(OSError):
                self._path.with_name(self._path.name + part).rename(f"{aside}{part}")


def _code(error: sqlite3.Error) -> int:
    """The kind of error, as SQLite numbers them; 0 for those of Python."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return str(error).startswith("no such")
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError):
        return False
    return _code(error) in _DAMAGED or "malformed" in str(error)
