"""Stores uploaded pictures in a folder: each has owners (browsers) and expires; size is limited."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from app.errors import Forbidden, PictureTooLarge, UnknownPicture, printable
from app.pictures.decode import DecodedPicture, decode
from app.pictures.encode import encode_png, preview
from app.pictures.samples import sample
from app.services.cache import ByteCache
from app.services.files import key, write

_ID = re.compile(r"[0-9a-f]{32}")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pictures (
    id TEXT PRIMARY KEY, width INTEGER, height INTEGER, bytes INTEGER, notes TEXT, expires REAL
);
CREATE TABLE IF NOT EXISTS owners (
    picture TEXT REFERENCES pictures(id) ON DELETE CASCADE, owner TEXT, name TEXT, added REAL,
    PRIMARY KEY (picture, owner)
);
"""


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
        self._folder = folder / "pictures"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._key = key(folder / "key")
        self._lock = threading.RLock()
        self._in_use: Counter[str] = Counter()
        # A picture is usually run right after its upload: do not decode it again.
        self._decoded: ByteCache[str, Image.Image] = ByteCache(100_000_000)
        self._previews: ByteCache[tuple[str, int], bytes] = ByteCache(16_000_000)
        self._index = sqlite3.connect(folder / "pictures.sqlite", check_same_thread=False)
        self._index.execute("PRAGMA foreign_keys = ON")
        self._index.execute("PRAGMA journal_mode = WAL")
        self._index.executescript(_SCHEMA)
        self._reconcile()

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
        path = self._path(id)
        _keep(path, picture.image)
        with self._lock, self._index:
            # Another request may have deleted the same picture meanwhile.
            _keep(path, picture.image)
            self._enter(id, picture, path.stat().st_size, owner, name)
            self._make_room(keep=id)
        self._decoded.put(id, picture.image, picture.width * picture.height * 3)
        return self.find(id, owner)

    def open(self, id: str) -> Image.Image:
        """Return the decoded picture, upright, RGB. Raises `UnknownPicture`."""
        if built_in := sample(id):
            return built_in.open()
        self._require(id)
        if (image := self._decoded.get(id)) is None:
            image = _read(self.png(id))
            self._decoded.put(id, image, image.width * image.height * 3)
        return image

    def png(self, id: str) -> bytes:
        """Return the picture as PNG, without metadata. Raises `UnknownPicture`."""
        if built_in := sample(id):
            return encode_png(built_in.open())
        self._require(id)
        try:
            return self._path(id).read_bytes()
        except FileNotFoundError:
            raise _unknown() from None

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
        """Describe an upload; `name` is empty for anyone but its owner.

        Raises `UnknownPicture`.
        """
        query = (
            "SELECT p.id, COALESCE(o.name, ''), width, height, notes, expires FROM pictures p "
            "LEFT JOIN owners o ON o.picture = p.id AND o.owner = ? WHERE p.id = ? AND expires > ?"
        )
        _check_form(id)
        with self._lock:
            row = self._index.execute(query, (_hide(owner), id, self._clock())).fetchone()
        if row is None:
            raise _unknown()
        return _stored(row)

    def recent(self, owner: str, count: int = 24) -> list[Stored]:
        """The uploads of one owner, newest first."""
        query = (
            "SELECT p.id, name, width, height, notes, expires FROM pictures p "
            "JOIN owners o ON o.picture = p.id WHERE o.owner = ? AND expires > ? "
            "ORDER BY added DESC LIMIT ?"
        )
        with self._lock:
            rows = self._index.execute(query, (_hide(owner), self._clock(), count)).fetchall()
        return [_stored(row) for row in rows]

    def delete(self, id: str, owner: str) -> bool:
        """Delete a picture for one owner; return True if it was the last owner and it is gone.

        Raises `UnknownPicture`, and `Forbidden` for a sample or another user's picture.
        """
        if sample(id):
            raise Forbidden("The built-in samples stay: only your own pictures can be deleted.")
        self._require(id)
        with self._lock, self._index:
            mine = "DELETE FROM owners WHERE picture = ? AND owner = ?"
            if not self._index.execute(mine, (id, _hide(owner))).rowcount:
                raise Forbidden("Only the browser that uploaded a picture can delete it.")
            left = "SELECT COUNT(*) FROM owners WHERE picture = ?"
            gone = not self._index.execute(left, (id,)).fetchone()[0]
            if gone:
                self._remove(id)
        return gone

    def expire(self) -> list[str]:
        """Delete expired pictures that are not in use; return their ids."""
        with self._lock, self._index:
            old = "SELECT id FROM pictures WHERE expires <= ?"
            ids = [row[0] for row in self._index.execute(old, (self._clock(),))]
            gone = [id for id in ids if not self._in_use[id]]
            for id in gone:
                self._remove(id)
        return gone

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

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.png"

    def _require(self, id: str) -> None:
        _check_form(id)
        with self._lock:
            query = "SELECT 1 FROM pictures WHERE id = ? AND (expires > ? OR ?)"
            row = (id, self._clock(), self._in_use[id] > 0)
            if self._index.execute(query, row).fetchone() is None:
                raise _unknown()

    def _enter(self, id: str, picture: DecodedPicture, size: int, owner: str, name: str) -> None:
        now = self._clock()
        expires = now + self.lifetime
        notes = json.dumps(picture.notes)
        self._index.execute(
            "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "expires = excluded.expires",
            (id, picture.width, picture.height, size, notes, expires),
        )
        self._index.execute(
            "INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?)",
            (id, _hide(owner), printable(name)[:80], now),
        )

    def _make_room(self, keep: str) -> None:
        rows = self._index.execute("SELECT id, bytes FROM pictures ORDER BY expires").fetchall()
        total = sum(size for _, size in rows)
        for id, size in rows:
            if total <= self._capacity:
                return
            if id != keep and not self._in_use[id]:
                self._remove(id)
                total -= size

    def _remove(self, id: str) -> None:
        self._index.execute("DELETE FROM pictures WHERE id = ?", (id,))
        self._decoded.drop(id)
        self._previews.drop_where(lambda key: key[0] == id)
        self._path(id).unlink(missing_ok=True)

    def _reconcile(self) -> None:
        """Delete what only the folder or only the index has, as after a crash."""
        with self._lock, self._index:
            known = {row[0] for row in self._index.execute("SELECT id FROM pictures")}
            found = {path.stem for path in self._folder.glob("*.png")}
            for id in known - found:
                self._index.execute("DELETE FROM pictures WHERE id = ?", (id,))
            for path in self._folder.iterdir():
                if path.stem not in known or path.suffix != ".png":
                    path.unlink()


def _read(png: bytes) -> Image.Image:
    """Decode a PNG that this class wrote."""
    with Image.open(BytesIO(png), formats=("PNG",)) as file:
        return file.convert("RGB")


def _keep(path: Path, image: Image.Image) -> None:
    if not path.is_file():
        write(path, encode_png(image))


def _hide(owner: str) -> str:
    """The hash of an owner's cookie for the index: who reads the file cannot impersonate them."""
    return hashlib.sha256(owner.encode()).hexdigest()


def _check_form(id: str) -> None:
    """Raise `UnknownPicture` for what can be no id: some text cannot even be looked up."""
    if not _ID.fullmatch(id):
        raise _unknown()


def _stored(row: tuple[str, str, int, int, str, float]) -> Stored:
    id, name, width, height, notes, expires = row
    return Stored(id, name, width, height, tuple(json.loads(notes)), expires)


def _unknown() -> UnknownPicture:
    return UnknownPicture(
        "This picture is not here. It may have been deleted, or its time may be over."
    )
