"""Picture files that tests make themselves."""

import random
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image


def save(image: Image.Image, format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def quarters(mode: str = "RGB") -> Image.Image:
    """16 x 8 pixels, no two quarters alike: red, green; blue, white."""
    image = Image.new("RGB", (16, 8), "red")
    image.paste("#00ff00", (8, 0, 16, 4))
    image.paste("blue", (0, 4, 8, 8))
    image.paste("white", (8, 4, 16, 8))
    return image.convert(mode)


def pixel(image: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    """The channels of the pixel at (x, y)."""
    value = image.getpixel(at)
    assert isinstance(value, tuple)
    return value


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    right, bottom = image.width - 1, image.height - 1
    return [pixel(image, xy) for xy in ((0, 0), (right, 0), (0, bottom), (right, bottom))]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def written_png(
    width: int,
    height: int,
    *,
    depth: int,
    colour: int,
    rows: bytes,
    more: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    """A PNG written by hand, for what Pillow cannot write; rows start with their filter byte."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *(chunk(*one) for one in more)]
    parts += [chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def animation_webp(width: int, height: int) -> bytes:
    """The header of a WebP animation with a canvas of the given size, and nothing drawn."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png(shade: int = 0, size: tuple[int, int] = (40, 30)) -> bytes:
    """A PNG of one shade of red."""
    return save(Image.new("RGB", size, (shade, 0, 0)), "PNG")


def noise(seed: int, side: int = 100) -> bytes:
    """A PNG that hardly compresses, of its own for each seed."""
    pixels = random.Random(seed).randbytes(3 * side * side)
    return save(Image.frombytes("RGB", (side, side), pixels), "PNG")


def blurred_noise(seed: int) -> bytes:
    """A PNG of 64 x 64 pixels with smooth blots of colour, of its own for each seed."""
    small = Image.frombytes("RGB", (6, 6), random.Random(seed).randbytes(108))
    return save(small.resize((64, 64), Image.Resampling.BICUBIC), "PNG")
