"""Does a file have so many parts that decoding takes minutes? Counted before any decoder sees it.

A JPEG of 200 kB can hold 4,000 scans of a picture of 25 million pixels; Pillow walks a PNG's chunks
and a JPEG's segments in Python. Real files have about ten scans and a few hundred parts.
"""

import re
import struct
from collections.abc import Iterator

from app.errors import BrokenPicture

SCANS, SEGMENTS, PADDING, CHUNKS, BLOCKS = 100, 2_000, 1_000, 20_000, 200_000
"""Most scans, segments and padding bytes of a JPEG; chunks of a PNG or WebP; blocks of a GIF."""

_STANDALONE = re.compile(rb"\xff[\x01\xd0-\xd8]")
_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_SCAN, _END = 0xDA, 0xD9


def check_parts(data: bytes, kind: str) -> None:
    """Raises `BrokenPicture` with a sentence that says what the file has too many of."""
    if kind in _CHECKS:
        try:
            _CHECKS[kind](data)
        except (struct.error, IndexError):
            return  # Cut off: the decoder says so.


def _jpeg(data: bytes) -> None:
    """ITU-T T.81, section B.1: markers, each after any number of padding bytes FF."""
    at, scans, segments, padding = 2, 0, 0, 0
    while marker := _NEXT_MARKER.search(data, at):
        code, segments = data[marker.end() - 1], segments + 1
        padding += marker.end() - marker.start() - 2
        at = marker.end()
        if code == _END:
            return
        scans += code == _SCAN
        _refuse(scans, SCANS, "JPEG", "scans (passes over the picture)")
        _refuse(segments, SEGMENTS, "JPEG", "segments")
        _refuse(padding, PADDING, "JPEG", "bytes of padding")
        if not _STANDALONE.match(data, at - 2):
            at += struct.unpack_from(">H", data, at)[0]


def _png(data: bytes) -> None:
    """https://www.w3.org/TR/png-3/#5Chunk-layout: length, type, data, CRC."""
    at, chunks = 8, 0
    while at + 8 <= len(data) and data[at + 4 : at + 8] != b"IEND":
        chunks += 1
        _refuse(chunks, CHUNKS, "PNG", "chunks")
        at += 12 + struct.unpack_from(">I", data, at)[0]


def _webp(data: bytes) -> None:
    """https://developers.google.com/speed/webp/docs/riff_container: type, length, even data."""
    at, chunks = 12, 0
    while at + 8 <= len(data):
        chunks += 1
        _refuse(chunks, CHUNKS, "WebP", "chunks")
        length = struct.unpack_from("<I", data, at + 4)[0]
        at += 8 + length + length % 2


def _gif(data: bytes) -> None:
    """Up to the second frame, which is what a decoder looks at."""
    for blocks, _ in _gif_blocks(data):
        _refuse(blocks, BLOCKS, "GIF", "blocks")


def gif_end(data: bytes) -> int:
    """Where the last block of data ends that a GIF has begun, up to its second frame."""
    last = 0
    try:
        for _, end in _gif_blocks(data):
            last = end
    except IndexError:
        return last
    return last


def _gif_blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """GIF89a, sections 15 to 26: the number of each block of data, and where it ends."""
    at, last = 13 + _gif_colours(data[10]), 0
    blocks = frames = 0
    while frames < 2 and data[at] != 0x3B:
        # Each of these counts, for a decoder looks at it: a block without data, and a stray byte.
        blocks += 1
        if data[at] == 0x2C:
            frames += 1
            at += 10 + _gif_colours(data[at + 9]) + 1
        elif data[at] == 0x21:
            at += 2
        else:
            at += 1
            yield blocks, last
            continue
        while length := data[at]:
            blocks, at, last = blocks + 1, at + length + 1, at + length + 1
            yield blocks, last
        at += 1
        yield blocks, last


def _gif_colours(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _refuse(count: int, most: int, kind: str, what: str) -> None:
    if count > most:
        raise BrokenPicture(
            f"This {kind} file is odd: it has more than {most:,} {what}, which no camera or "
            "picture program writes. Open it in a picture program, save it again and choose that "
            "file."
        )


_CHECKS = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "GIF": _gif}
