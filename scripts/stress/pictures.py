"""Pictures to attack with: small ones, broken ones, and ones that were made to cost minutes."""

from __future__ import annotations

import io
import random
import struct
import zlib

from PIL import Image, ImageDraw

KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
NAMES = (
    "a.png",
    "",
    "..",
    "../../etc/passwd",
    "ä😀.jpg",
    "x" * 5000,
    "con",
    "a.png\0.exe",
    "%2e%2e",
)


def lettered(number: int, kind: str = "PNG", side: int = 96) -> bytes:
    """A picture that no other number has; PNG and BMP keep every pixel of it."""
    chosen = random.Random(number)
    image = Image.new("RGB", (side, side), _colour(chosen))
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y = chosen.randrange(side), chosen.randrange(side)
        draw.ellipse((x, y, x + chosen.randrange(4, side), y + side // 3), _colour(chosen))
    data = io.BytesIO()
    image.save(data, kind)
    return data.getvalue()


def noise(number: int, side: int = 256) -> bytes:
    """A PNG of 200 kB that no other number has: every pixel is random."""
    pixels = random.Random(number).randbytes(3 * side * side)
    data = io.BytesIO()
    Image.frombytes("RGB", (side, side), pixels).save(data, "PNG")
    return data.getvalue()


def mutated(number: int) -> bytes:
    """A picture with something wrong; the same one for the same number."""
    chosen = random.Random(number)
    data = bytearray(lettered(number % 40, chosen.choice(KINDS), chosen.choice((8, 32, 96))))
    match chosen.randrange(7):
        case 0:
            for _ in range(chosen.randrange(1, 40)):
                data[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
        case 1:
            del data[chosen.randrange(len(data)) :]
        case 2:
            a, b = sorted(chosen.randrange(len(data)) for _ in range(2))
            data[a:b] = data[a:b][::-1]
        case 3:
            a, b = sorted(chosen.randrange(len(data)) for _ in range(2))
            data[a:a] = data[a:b]
        case 4:
            at = chosen.randrange(min(40, len(data)))
            data[at : at + 4] = chosen.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff")
            )
        case 5:
            other = lettered(number % 7, chosen.choice(KINDS), 32)
            data[len(data) // 2 :] = other[len(other) // 2 :]
        case 6:
            data[:] = chosen.randbytes(chosen.randrange(3000)) if chosen.random() < 0.5 else b""
    return bytes(data)


def bombs() -> dict[str, bytes]:
    """Files of a few megabytes at most that would take minutes to decode, by what is wrong."""
    jpeg = lettered(1, "JPEG")
    return {
        "JPEG, 2,500 scans": _many_scans(5000, 2500),
        "JPEG, 25 MB of padding": jpeg[:2] + b"\xff" * 25_000_000 + jpeg[2:],
        "JPEG, a million segments": jpeg[:2] + b"\xff\xe0\x00\x02" * 1_000_000 + jpeg[2:],
        "PNG, 1,500,000 chunks": _png(8, 8, b"\0" * 72, _chunk(b"tEXt", b"a\0b") * 1_500_000),
        "PNG, one column": _png(1, 25_000_000, b"\0\1" * 25_000_000),
        "PNG, 30,000 by 30,000": _png(30_000, 30_000, b"\0"),
        "WebP, 200,000 chunks": _webp(200_000),
        "GIF, a screen of 60,000 by 60,000": _gif(60_000),
    }


def _colour(chosen: random.Random) -> tuple[int, int, int]:
    red, green, blue = chosen.randbytes(3)
    return red, green, blue


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _png(width: int, height: int, raw: bytes, before: bytes = b"") -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = _chunk(b"IDAT", zlib.compress(raw)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + before + pixels


def _webp(chunks: int) -> bytes:
    body = lettered(2, "WEBP")[12:] + b"ABCD\x02\0\0\0ab" * chunks
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _gif(side: int) -> bytes:
    data = io.BytesIO()
    Image.new("P", (2, 2)).save(data, "GIF")
    whole = data.getvalue()
    return whole[:6] + struct.pack("<HH", side, side) + whole[10:]


def _many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG whose cheapest scan stands there `scans` times more."""
    file = io.BytesIO()
    Image.new("L", (side, side), 128).save(file, "JPEG", progressive=True, quality=50)
    data, parts, i = file.getvalue(), list[tuple[int, bytes]](), 2
    while data[i + 1] != 0xD9:
        marker, j = data[i + 1], i + 2 + int.from_bytes(data[i + 2 : i + 4], "big")
        while marker == 0xDA and (
            data[j] != 0xFF or data[j + 1] == 0 or 0xD0 <= data[j + 1] <= 0xD7
        ):
            j += 1
        parts.append((marker, data[i:j]))
        i = j
    # A scan of coefficients above the first, which needs the table of codes before it.
    costs: list[tuple[int, bytes]] = []
    table = b""
    for marker, part in parts:
        if marker == 0xC4:
            table = part
        elif marker == 0xDA and part[5 + 2 * part[4]] > 0:
            costs.append((len(part), table + part))
    repeated = min(costs)[1]
    return b"\xff\xd8" + b"".join(part for _, part in parts) + repeated * scans + b"\xff\xd9"
