"""What a safetensors file holds: its names and shapes, and whether its numbers are finite."""

from __future__ import annotations

import errno
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import torch
from safetensors import safe_open

from app.errors import WeightsRefused
from app.services.files import regular

MOST_KEYS = 4000
"""Most tensors in a file: the largest network here has 400, and 200,000 take seconds to list."""
LONGEST_HEADER = 2_000_000
"""Largest header, in bytes: room for every tensor and the names of thousands of classes."""
BLOCK = 1 << 22
_LENGTH = struct.Struct("<Q")

_FLOATS = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the names and shapes in a safetensors file, from its header only.

    Raises `WeightsRefused` for a header that no network has, `SafetensorError`, `OSError`.
    """
    check_header(path)
    with safe_open(path, "pt") as file:
        names = file.keys()  # noqa: SIM118 (it is no dict)
        if len(names) > MOST_KEYS:
            raise WeightsRefused(
                f"{path.name} holds {len(names):,} tensors; the largest network here has a few "
                f"hundred, and more than {MOST_KEYS:,} are not read."
            )
        return {name: tuple(file.get_slice(name).get_shape()) for name in names}


def check_header(path: Path) -> None:
    """Look at the size of a header before anything reads it. Raises as `shapes` does."""
    size = regular(path).st_size
    length = _header_length(path)
    # A file that is no safetensors file begins with any number: its reader says so.
    if LONGEST_HEADER < length <= size - _LENGTH.size:
        raise WeightsRefused(
            f"{path.name} begins with a list of {length / 1e6:.0f} MB; that of a network has less "
            f"than {LONGEST_HEADER / 1e6:.0f} MB."
        )


def first_not_finite(path: Path) -> str | None:
    """The name of the first tensor with a number that float32 cannot hold; None if all are finite.

    Reads a file that `shapes` has read, block by block. Raises `OSError`.
    """
    with path.open("rb") as file:
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        start = _LENGTH.size + length
        for name, about in header.items():
            if (kind := _FLOATS.get(about["dtype"])) is None:
                continue
            begin, end = about["data_offsets"]
            file.seek(start + begin)
            for block in _blocks(file, end - begin):
                if not torch.frombuffer(block, dtype=kind).float().isfinite().all():
                    return str(name)
    return None


def not_finite(source: str, name: str) -> str:
    """Why a file with such a number is refused."""
    return (
        f"{source}: {name} holds a number that is not finite (NaN, infinity, or too large for "
        "float32). A network with it answers nothing: its training may have gone wrong."
    )


def _blocks(file: IO[bytes], count: int) -> Iterator[bytearray]:
    """The next `count` bytes in blocks, each of whole numbers. Raises `OSError`."""
    while count > 0:
        block = bytearray(file.read(min(BLOCK, count)))
        if len(block) < min(BLOCK, count):
            raise OSError(errno.EIO, "it ends too early")
        count -= len(block)
        yield block


def _header_length(path: Path) -> int:
    with path.open("rb") as file:
        head = file.read(_LENGTH.size)
    return int(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else 0
