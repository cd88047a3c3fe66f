"""Files with blemishes that browsers overlook, rewritten so that a strict decoder reads them.

A browser shows a picture whose pixels are whole, whatever is wrong beside them: a checksum of a
text, a note of a megabyte, a length in a header, a missing end marker. So does this. What lacks
pixels stays broken.
"""

import struct
import zlib
from collections.abc import Iterator

from app.pictures.file_parts import gif_end

_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"tRNS", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"fdAT")
"""PNG chunks beside the critical ones that say what a picture looks like."""
_PROFILE = 1_000_000
"""Most bytes of a colour profile, unpacked."""
_SEGMENTS = (0xE1, 0xE2, 0xEE)
"""JPEG segments with turns, colour profiles and the kind of colours; 0xE0 and comments go."""


def mended(data: bytes, kind: str, filler: bytes = b"\0") -> bytes:
    """The same picture without what only strict readers mind.

    Where its end is missing, `filler` stands instead: a picture with all its pixels is the same
    whatever that is.
    """
    return _MENDERS[kind](data, filler)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Name, content, and whether the checksum is right; the last may be cut off."""
    at = len(_PNG)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        content, end = data[at + 8 : at + 8 + length], at + 8 + length
        yield name, content, data[end : end + 4] == struct.pack(">I", zlib.crc32(name + content))
        at = end + 4


def _png(data: bytes, filler: bytes) -> bytes:
    """Only what a picture looks like; checksums as they should be for what is not critical."""
    parts, colour = [_PNG], 2
    for name, content, sound in png_chunks(data):
        if name == b"IHDR" and len(content) == 13:
            colour = content[9]
        critical = not name[0] & 0x20
        if critical or (sound and name in _KEPT and _is_usable(name, content, colour)):
            told = content, zlib.crc32(name + content) if sound else zlib.crc32(name)
            parts += [struct.pack(">I", len(content)), name, told[0], struct.pack(">I", told[1])]
        if name == b"IEND":
            break
    return b"".join(parts)


def _is_usable(name: bytes, content: bytes, colour: int) -> bool:
    if name == b"acTL":
        return len(content) == 8 and content[:4] != bytes(4)
    if name == b"tRNS":
        return len(content) == {0: 2, 2: 6}.get(colour, len(content)) and colour in (0, 2, 3)
    return name != b"iCCP" or png_profile(content) != b""


def png_profile(content: bytes) -> bytes:
    """The colour profile of an iCCP chunk, b"" if it is not to be read."""
    title, _, packed = content.partition(b"\0")
    if not 1 <= len(title) <= 79 or packed[:1] != b"\0":
        return b""
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], _PROFILE)
    except zlib.error:
        return b""
    return profile if unpacking.eof else b""


def repacked_png(data: bytes) -> bytes:
    """The same PNG with its pixels packed anew: a wrong checksum of theirs does not matter.

    Raises `ValueError` where a chunk is broken that matters.
    """
    if not all(sound for name, _, sound in png_chunks(data) if not name[0] & 0x20):
        raise ValueError("a critical chunk is broken")
    chunks = [(name, content) for name, content, _ in png_chunks(data)]
    packed = b"".join(content for name, content in chunks if name == b"IDAT")
    rows = zlib.decompressobj(-15).decompress(packed[2:])
    parts, done = [_PNG], False
    for name, content in chunks:
        if name == b"IDAT":
            content, done, skip = zlib.compress(rows, 1), True, done
            if skip:
                continue
        parts += [struct.pack(">I", len(content)), name, content]
        parts.append(struct.pack(">I", zlib.crc32(name + content)))
    return b"".join(parts)


def _jpeg(data: bytes, filler: bytes) -> bytes:
    """Without segments that are shorter than what they are for, and with an end."""
    parts, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        code = data[at + 1]
        if code == 0xFF:
            at += 1
            continue
        length = struct.unpack_from(">H", data, at + 2)[0]
        # Adobe's segment has twelve bytes after its length, or it says nothing.
        if code < 0xE0 or (code in _SEGMENTS and (code != 0xEE or length >= 14)):
            parts.append(data[at : at + 2 + length])
        at += 2 + length
        if code == 0xDA:
            break
    rest = data[at:]
    end = b"" if b"\xff\xd9" in rest[-64:] else filler * 64 + b"\xff\xd9"
    return b"".join(parts) + rest + end


def _webp(data: bytes, filler: bytes) -> bytes:
    """With the length that it has; chunks that are cut by a byte or two are filled up."""
    at = 12
    while at + 8 <= len(data):
        length = struct.unpack_from("<I", data, at + 4)[0]
        at += 8 + length + length % 2
    whole = data + filler * max(0, min(2, at - len(data)))
    return b"RIFF" + struct.pack("<I", len(whole) - 8) + whole[8:]


def _gif(data: bytes, filler: bytes) -> bytes:
    """With the size of its first frame where it states none, and with an end."""
    if data[6:10] == bytes(4):
        at = data.find(b",")
        data = data[:6] + data[at + 5 : at + 9] + data[10:]
    missing = gif_end(data) - len(data)
    return data + filler * missing + b"\0;" if 0 < missing < 256 else data


_MENDERS = {"PNG": _png, "JPEG": _jpeg, "WEBP": _webp, "GIF": _gif}
