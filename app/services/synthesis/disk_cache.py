"""An LRU cache of finished synthesised pictures on disk, within a budget in bytes."""

from __future__ import annotations

import logging
import os
import stat
import threading
from pathlib import Path

from app.errors import NotWritten
from app.services.files import write
from app.services.synthesis.picture import SynthesisedPicture, read

_log = logging.getLogger(__name__)


class PictureCache:
    """Pictures by key in `folder`, at most `capacity` bytes. Thread-safe.

    The modification time of a file is its last use. Other processes may share the folder: files are
    written atomically.
    """

    def __init__(self, folder: Path, capacity: int) -> None:
        self._folder = folder
        self._capacity = capacity
        self._lock = threading.Lock()

    def get(self, key: str) -> SynthesisedPicture | None:
        """Return the picture and mark it most recently used; None if it is missing or damaged."""
        path = self._path(key)
        try:
            found = read(path.read_bytes(), key)
            if found is None:
                _log.warning("%s is damaged and was put away.", path)
                path.unlink(missing_ok=True)
            else:
                os.utime(path)
        except OSError:
            return None
        return found

    def has(self, key: str) -> bool:
        """True if there is a file; it is not read."""
        return self._path(key).is_file()

    def put(self, key: str, picture: SynthesisedPicture) -> None:
        """Store a picture and delete the oldest beyond the budget. Raises `NotWritten`."""
        if len(picture.png) > self._capacity:
            return
        with self._lock:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                write(self._path(key), picture.png)
                self._shrink()
            except OSError as error:
                raise NotWritten(
                    f"The picture is here but could not be kept on the server's disk "
                    f"({error.strerror}): save it yourself."
                ) from error

    def _shrink(self) -> None:
        files = sorted((used, path, size) for path, used, size in self._files())
        total = sum(size for _, _, size in files)
        for _, path, size in files[:-1]:
            if total <= self._capacity:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _files(self) -> list[tuple[Path, int, int]]:
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                try:
                    state = entry.stat()
                except FileNotFoundError:
                    continue
                if not stat.S_ISREG(state.st_mode):
                    continue
                found.append((Path(entry.path), state.st_mtime_ns, state.st_size))
        return found

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.png"
