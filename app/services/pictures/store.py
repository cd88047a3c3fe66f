"""Stores uploaded pictures in a folder: each has owners (browsers) and expires; size is limited."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from app.errors import (
    Busy,
    DataUnusable,
    Forbidden,
    NotWritten,
    PictureTooLarge,
    UnknownPicture,
    printable,
)
from app.pictures.decode import DecodedPicture, decode
from app.pictures.encode import encode_png, preview
from app.pictures.samples import sample
from app.services.cache import ByteCache
from app.services.files import key
from app.services.pictures.index import ID, PictureIndex, PictureRow
from app.services.pictures.picture_files import PictureFiles, unknown


@dataclass(frozen=True, slots=True)
class Stored:
    """An uploaded picture as it is listed; `expires` is in seconds since 1970."""

    id: str
    name: str
    width: int
    height: int
    notes: tuple[str, ...]
    expires: float


class Pictures:
    """Uploaded pictures and samples by id. Every method blocks; all are thread-safe.

    `limit` is in bytes of one upload, `max_pixels` of one picture, `capacity` in bytes on disk,
    `lifetime` in seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        limit: int = 30_000_000,
        max_pixels: int = 25_000_000,
        capacity: int = 2_000_000_000,
        lifetime: float = 86_400,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lifetime = lifetime
        self.limit = limit
        self.max_pixels = max_pixels
        self._capacity = capacity
        self._clock = clock
        try:
            self._files = PictureFiles(folder / "pictures")
            self._key = key(folder / "key")
        except OSError as error:
            raise DataUnusable(
                f"The folder {folder} cannot hold pictures: {error.strerror}. Name another one in "
                "LAYERSCOPE_DATA."
            ) from error
        self._lock = threading.RLock()
        self._in_use: Counter[str] = Counter()
        # A picture is usually run right after its upload: do not decode it again.
        self._decoded: ByteCache[str, Image.Image] = ByteCache(100_000_000)
        self._previews: ByteCache[tuple[str, int], bytes] = ByteCache(16_000_000)
        self._index = PictureIndex(folder / "pictures.sqlite", self._salvage)
        with self._lock:
            self._index.run(self._reconcile)

    def add(self, data: bytes, owner: str, name: str = "") -> Stored:
        """Decode and store a file that this app made, for `owner`. Raises `PictureError`."""
        self.check_length(data)
        return self.store(decode(data, max_pixels=self.max_pixels), owner, name)

    def check_length(self, data: bytes) -> None:
        """Raise `PictureTooLarge` for a file with too many bytes."""
        if len(data) > self.limit:
            raise PictureTooLarge(
                f"This file is too big: the limit is {self.limit / 1e6:.3g} MB. "
                "Please make the picture smaller and try again."
            )

    def store(self, picture: DecodedPicture, owner: str, name: str = "") -> Stored:
        """Store a decoded upload for `owner`; the same picture twice gives the same id."""
        id = self._id(picture.image)
        self._files.keep(id, picture.image, self._clock())

        def enter(index: sqlite3.Connection) -> None:
            # Another request may have deleted the same picture meanwhile.
            size = self._files.keep(id, picture.image, self._clock())
            self._enter(index, id, picture, size, owner, name)
            self._make_room(index, keep=id)

        with self._lock:
            try:
                self._index.run(enter)
            except (Busy, NotWritten):
                self._discard(id)
                raise
        self._decoded.put(id, picture.image, picture.width * picture.height * 3)
        return self.find(id, owner)

    def open(self, id: str) -> Image.Image:
        """Return the decoded picture, upright, RGB. Raises `UnknownPicture`."""
        if built_in := sample(id):
            return built_in.open()
        self._require(id)
        if (image := self._decoded.get(id)) is None:
            image = self._files.read(id)
            self._decoded.put(id, image, image.width * image.height * 3)
        return image

    def png(self, id: str) -> bytes:
        """Return the picture as PNG, without metadata. Raises `UnknownPicture`."""
        if built_in := sample(id):
            return encode_png(built_in.open())
        self._require(id)
        return self._files.png(id)

    def preview(self, id: str, side: int) -> bytes:
        """Return a small lossy copy, at most `side` pixels a side. Raises `UnknownPicture`."""
        self.require(id)
        if (small := self._previews.get((id, side))) is None:
            small = preview(self.open(id), side)
            self._previews.put((id, side), small, len(small))
        return small

    def require(self, id: str) -> None:
        """Raise `UnknownPicture` if there is neither a sample nor an upload of that id."""
        if sample(id) is None:
            self._require(id)

    def has(self, id: str) -> bool:
        """True if there is a sample or an upload of that id."""
        try:
            self.require(id)
        except UnknownPicture:
            return False
        return True

    def find(self, id: str, owner: str) -> Stored:
        """Describe an upload; for anyone but its owner without `name` and `notes`.

        Raises `UnknownPicture`.
        """
        query = (
            "SELECT p.id, COALESCE(o.name, ''), width, height, o.notes, expires FROM pictures p "
            "LEFT JOIN owners o ON o.picture = p.id AND o.owner = ? WHERE p.id = ? AND expires > ?"
        )
        _check_form(id)
        (row,) = self._rows(query, _hide(owner), id, self._clock()) or (None,)
        if row is None:
            raise unknown()
        return _stored(row)

    def recent(self, owner: str, count: int = 24) -> list[Stored]:
        """The uploads of one owner, newest first."""
        query = (
            "SELECT p.id, name, width, height, o.notes, expires FROM pictures p "
            "JOIN owners o ON o.picture = p.id WHERE o.owner = ? AND expires > ? "
            "ORDER BY added DESC LIMIT ?"
        )
        return [_stored(row) for row in self._rows(query, _hide(owner), self._clock(), count)]

    def delete(self, id: str, owner: str) -> bool:
        """Delete a picture for one owner; return True if it was the last owner and it is gone.

        Raises `UnknownPicture`, and `Forbidden` for a sample or another user's picture.
        """
        if sample(id):
            raise Forbidden("The built-in samples stay: only your own pictures can be deleted.")
        self._require(id)

        def leave(index: sqlite3.Connection) -> bool:
            mine = "DELETE FROM owners WHERE picture = ? AND owner = ?"
            if not index.execute(mine, (id, _hide(owner))).rowcount:
                raise Forbidden("Only the browser that uploaded a picture can delete it.")
            left = "SELECT COUNT(*) FROM owners WHERE picture = ?"
            gone = not index.execute(left, (id,)).fetchone()[0]
            if gone:
                self._remove(index, id)
            return gone

        with self._lock:
            return self._index.run(leave)

    def expire(self) -> list[str]:
        """Delete expired pictures that are not in use; return their ids."""

        def clear(index: sqlite3.Connection) -> list[str]:
            old = "SELECT id FROM pictures WHERE expires <= ?"
            ids = [row[0] for row in index.execute(old, (self._clock(),))]
            gone = [id for id in ids if not self._in_use[id]]
            for id in gone:
                self._remove(index, id)
            return gone

        with self._lock:
            return self._index.run(clear)

    @contextmanager
    def using(self, id: str) -> Iterator[None]:
        """Context in which the picture is neither expired nor evicted by newer ones."""
        with self._lock:
            self._in_use[id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_use[id] -= 1
                if not self._in_use[id]:
                    del self._in_use[id]

    def close(self) -> None:
        """Close the index; the pictures stay on disk."""
        with self._lock:
            self._index.close()

    def _id(self, image: Image.Image) -> str:
        """A digest of the pixels keyed with this server's key, so that ids cannot be guessed."""
        digest = hashlib.blake2b(key=self._key, digest_size=16)
        digest.update(f"{image.width}x{image.height}".encode())
        digest.update(image.tobytes())
        return digest.hexdigest()

    def _require(self, id: str) -> None:
        _check_form(id)
        with self._lock:
            query = "SELECT 1 FROM pictures WHERE id = ? AND (expires > ? OR ?)"
            if not self._rows(query, id, self._clock(), self._in_use[id] > 0):
                raise unknown()

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            return self._index.run(lambda index: index.execute(query, values).fetchall())

    def _enter(
        self,
        index: sqlite3.Connection,
        id: str,
        picture: DecodedPicture,
        size: int,
        owner: str,
        name: str,
    ) -> None:
        now = self._clock()
        expires = now + self.lifetime
        index.execute(
            "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "expires = excluded.expires",
            (id, picture.width, picture.height, size, "[]", expires),
        )
        index.execute(
            "INSERT OR REPLACE INTO owners (picture, owner, name, added, notes) "
            "VALUES (?, ?, ?, ?, ?)",
            (id, _hide(owner), printable(name)[:80], now, json.dumps(picture.notes)),
        )

    def _make_room(self, index: sqlite3.Connection, keep: str) -> None:
        rows = index.execute("SELECT id, bytes FROM pictures ORDER BY expires").fetchall()
        total = sum(size for _, size in rows)
        for id, size in rows:
            if total <= self._capacity:
                return
            if id != keep and not self._in_use[id]:
                self._remove(index, id)
                total -= size

    def _remove(self, index: sqlite3.Connection, id: str) -> None:
        index.execute("DELETE FROM pictures WHERE id = ?", (id,))
        self._decoded.drop(id)
        self._previews.drop_where(lambda key: key[0] == id)
        self._files.delete(id)

    def _discard(self, id: str) -> None:
        """Delete a file that could not be entered into the index."""
        with suppress(Busy, NotWritten):
            if not self._rows("SELECT 1 FROM pictures WHERE id = ?", id):
                self._files.delete(id)

    def _reconcile(self, index: sqlite3.Connection) -> None:
        """Delete what only the folder or only the index has, as after a crash."""
        known = {row[0] for row in index.execute("SELECT id FROM pictures")}
        for id in self._files.reconcile(known):
            index.execute("DELETE FROM pictures WHERE id = ?", (id,))

    def _salvage(self) -> Iterator[PictureRow]:
        return self._files.rows(self.lifetime)


def _hide(owner: str) -> str:
    """The hash of an owner's cookie for the index: who reads the file cannot impersonate them."""
    return hashlib.sha256(owner.encode()).hexdigest()


def _check_form(id: str) -> None:
    """Raise `UnknownPicture` for what can be no id: some text cannot even be looked up."""
    if not ID.fullmatch(id):
        raise unknown()


def _stored(row: tuple[str, str, int, int, str | None, float]) -> Stored:
    id, name, width, height, notes, expires = row
    return Stored(id, name, width, height, tuple(json.loads(notes or "[]")), expires)
