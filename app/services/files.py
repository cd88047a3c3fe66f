"""Files: written whole or not at all, for this server's user alone; and what stands in one."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from app.errors import NotWritten


def write(path: Path, data: bytes) -> None:
    """Put `data` under its name at once: a half-written file never stands there."""
    temporary = path.with_suffix(f".{secrets.token_hex(4)}")
    try:
        temporary.touch(0o600)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError:
        # A full disk should not stay full of what is of no use.
        temporary.unlink(missing_ok=True)
        raise


def put(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, its folder made when needed. Raises `NotWritten`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, data)
    except OSError as error:
        raise NotWritten(
            f"{path} cannot be written: {error.strerror}. Nothing was overwritten; make room, or "
            "choose another --out, and start the same command again."
        ) from error


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in full."""
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key(path: Path) -> bytes:
    """This server's own random key, made once."""
    if not path.is_file():
        write(path, secrets.token_bytes(32))
    return path.read_bytes()
