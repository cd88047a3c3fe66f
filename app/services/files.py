"""Write files atomically, readable by this server's user only; compute a file's SHA-256."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

from app.errors import NotWritten

KEY = 32
"""Bytes of this server's key."""

_log = logging.getLogger(__name__)


def write(path: Path, data: bytes) -> None:
    """Write a file atomically: `path` never holds half-written data. Raises `OSError`."""
    temporary = path.with_suffix(f".{secrets.token_hex(4)}")
    try:
        temporary.touch(0o600)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError:
        # Do not leave a useless temporary file on a full disk.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def put(path: Path, data: bytes) -> None:
    """Write a file atomically, creating its folder when needed. Raises `NotWritten`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, data)
    except OSError as error:
        raise NotWritten(
            f"{path} cannot be written: {error.strerror}. Nothing was overwritten; make room, or "
            "choose another --out, and start the same command again."
        ) from error


def regular(path: Path) -> os.stat_result:
    """The state of a file, or of the one that a link leads to.

    Raises `OSError` for all else: to open a pipe is to wait for whoever writes into it.
    """
    seen = path.stat()
    if not stat.S_ISREG(seen.st_mode):
        raise OSError(errno.EINVAL, "it is a folder, a pipe or a device, not a file")
    return seen


def listing(folder: Path, pattern: str) -> list[Path]:
    """The entries of a folder that fit a pattern, by name; none if it cannot be read."""
    try:
        return sorted(folder.glob(pattern)) if os.path.isdir(folder) else []
    except OSError:
        # As when a USB stick is pulled out.
        return []


def digest_of(path: Path) -> str:
    """Full SHA-256 of a file, in hexadecimal."""
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key(path: Path) -> bytes:
    """The random key of this server, created on first use.

    One of the wrong length is put aside: ids made with it stay the names of their pictures, only
    the same picture brought again gets another. Raises `OSError`.
    """
    if os.path.lexists(path):
        regular(path)
        found = path.read_bytes()
        if len(found) == KEY:
            return found
        aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
        path.rename(aside)
        _log.warning(
            "%s has %d bytes instead of %d: it is kept as %s, and a new key is made.",
            path, len(found), KEY, aside.name,
        )  # fmt: skip
    write(path, secrets.token_bytes(KEY))
    return path.read_bytes()


def not_kept(what: str, error: OSError) -> NotWritten:
    """What to tell a person whose work could not be kept on the server's disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotWritten(
            f"The server's disk is full, so {what} could not be kept. What was kept before is "
            "safe; whoever runs this server must make room."
        )
    return NotWritten(
        f"The server could not keep {what} on its disk ({error.strerror or error}). Whoever runs "
        "it must look after its data folder."
    )
