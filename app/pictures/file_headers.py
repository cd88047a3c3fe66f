"""Which size does a picture file state? Read from its header, without a decoder."""

import re
import struct

HEAD = 1_000_000
"""Bytes in which the boxes that describe a picture are looked for."""


def stated_size(data: bytes, kind: str) -> tuple[int, int] | None:
    """Read (width, height) in pixels from the file's first bytes.

    None where the header is truncated, and for JPEG, whose size has no fixed position (its decoder
    reads the header without allocating pixels). A decoder may allocate its canvas as soon as it
    opens a file (libwebp does), so this is checked before.
    """
    try:
        return _READERS[kind](data) if kind in _READERS else None
    except (struct.error, IndexError):
        return None


def _png(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _gif(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _webp(data: bytes) -> tuple[int, int] | None:
    """https://developers.google.com/speed/webp/docs/riff_container, and RFC 6386 section 9.1."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        return _uint24(data, 24) + 1, _uint24(data, 27) + 1
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _uint24(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16


def _boxes(data: bytes) -> tuple[int, int] | None:
    """ISO/IEC 23008-12, section 6.5.3: the largest of the sizes (ispe) that a file states."""
    sizes = [
        struct.unpack_from(">II", data, one.end() + 4) for one in re.finditer(b"ispe", data[:HEAD])
    ]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


_READERS = {"PNG": _png, "GIF": _gif, "WEBP": _webp, "AVIF": _boxes, "HEIC": _boxes}
