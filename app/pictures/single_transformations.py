"""Single transformations of a picture: flip, crop, resize, blur, brightness, JPEG.

Every function takes uint8 [3,H,W] and returns uint8 of the same size; the neutral strength returns
the same bytes. Halves round up.
"""

from __future__ import annotations

from io import BytesIO
from math import ceil

import torch
from PIL import Image
from torch import Tensor

from app.pictures.decode import decode

WHITE = 255
MIDDLE = 128
LUMA = (299, 587, 114)
"""Weights of red, green and blue in luma, in thousandths (ITU-R BT.601)."""


def flip(pixels: Tensor) -> Tensor:
    """Mirror left to right."""
    return pixels.flip(2)


def brightness(pixels: Tensor, percent: float) -> Tensor:
    """Multiply every value by `percent` / 100, clipped at white."""
    return _percent(pixels.long() * round(percent))


def contrast(pixels: Tensor, percent: float) -> Tensor:
    """Multiply every value's distance from mid grey 128 by `percent` / 100."""
    factor = round(percent)
    return _percent((pixels.long() - MIDDLE) * factor + 100 * MIDDLE)


def colour(pixels: Tensor, percent: float) -> Tensor:
    """Mix with the grey picture: 100 % changes nothing, 0 % is grey."""
    factor, x = round(percent), pixels.long()
    grey = (x * torch.tensor(LUMA).view(3, 1, 1)).sum(0, keepdim=True)
    mixed = grey * (100 - factor) + x * (1000 * factor)
    return ((mixed + 50_000) // 100_000).clamp(0, WHITE).to(torch.uint8)


def blur(pixels: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of `sigma` pixels, truncated at 3 sigma; edges are repeated outwards."""
    if sigma <= 0:
        return pixels
    return to_uint8(blurred(pixels.float(), sigma))


def resize(pixels: Tensor, percent: float) -> Tensor:
    """Scale to `percent` of the sides, at least one pixel, and back: bilinear, antialiased."""
    height, width = pixels.shape[1:]
    small = [max(1, int(n * percent / 100 + 0.5)) for n in (width, height)]
    if small == [width, height]:
        return pixels
    image = to_image(pixels).resize((small[0], small[1]), Image.Resampling.BILINEAR)
    return to_pixels(image.resize((width, height), Image.Resampling.BILINEAR))


def crop(pixels: Tensor, percent: float) -> Tensor:
    """Crop to the centre, `percent` of each side, and enlarge to the original size (bilinear)."""
    height, width = pixels.shape[1:]
    cut_x, cut_y = (int(n * (100 - percent) / 200 + 0.5) for n in (width, height))
    if not cut_x and not cut_y:
        return pixels
    box = (cut_x, cut_y, width - cut_x, height - cut_y)
    kept = to_image(pixels).crop(box)
    return to_pixels(kept.resize((width, height), Image.Resampling.BILINEAR))


def jpeg(pixels: Tensor, quality: int) -> Tensor:
    """Save as JPEG and decode again; chroma at half resolution, as most programs do."""
    file = BytesIO()
    to_image(pixels).save(file, "JPEG", quality=int(quality), subsampling="4:2:0")
    return to_pixels(decode(file.getvalue()).image)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of floats [3,H,W] by `sigma` pixels, along rows, then columns."""
    reach = ceil(3 * sigma)
    places = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weights = torch.exp(-(places**2) / (2 * sigma**2))
    weights = (weights / weights.sum()).expand(3, 1, 1, -1)
    padded = torch.nn.functional.pad(x[None], (reach,) * 4, mode="replicate")
    across = torch.nn.functional.conv2d(padded, weights, groups=3)
    return torch.nn.functional.conv2d(across, weights.transpose(2, 3), groups=3)[0]


def to_uint8(x: Tensor) -> Tensor:
    """Floats to 8-bit pixels: rounded, halves up, and clipped at black and white."""
    return (x + 0.5).floor().clamp(0, WHITE).to(torch.uint8)


def to_image(pixels: Tensor) -> Image.Image:
    """Convert uint8 [3,H,W] to a Pillow image."""
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def to_pixels(image: Image.Image) -> Tensor:
    """Convert an RGB Pillow image to uint8 [3,H,W]."""
    data = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return data.view(image.height, image.width, 3).permute(2, 0, 1).contiguous()


def _percent(hundredfold: Tensor) -> Tensor:
    return ((hundredfold + 50) // 100).clamp(0, WHITE).to(torch.uint8)
