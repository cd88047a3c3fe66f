"""Files that are written whole or not at all, and for this server's user alone."""

from __future__ import annotations

import secrets
from pathlib import Path


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


def key(path: Path) -> bytes:
    """This server's own random key, made once."""
    if not path.is_file():
        write(path, secrets.token_bytes(32))
    return path.read_bytes()
