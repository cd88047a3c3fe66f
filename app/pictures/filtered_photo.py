"""What a kernel made of a photo, as a picture: in colours that are cut, or on a signed scale."""

import torch
from PIL import Image
from torch import Tensor

from app.pictures.preprocess import input_png
from app.pictures.sheets import encode, quantise


def small(image: Image.Image, side: int) -> Tensor:
    """The photo, shrunk to at most `side` pixels (area average), as uint8 [3,H,W]."""
    if max(image.size) > side:
        width, height = (max(1, round(n * side / max(image.size))) for n in image.size)
        image = image.resize((width, height), Image.Resampling.BOX, reducing_gap=3.0)
    data = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return data.view(image.height, image.width, 3).permute(2, 0, 1).contiguous()


def clipped_png(values: Tensor) -> bytes:
    """Colours [3,H,W]: 0 is black, 1 full; what lies below or above is cut off."""
    return input_png(values.clamp(0, 1).mul(255).round().to(torch.uint8))


def signed_png(values: Tensor) -> bytes:
    """A map [H,W]: warm above zero, cool below, near-black at zero, full at its largest."""
    return encode(quantise(values, float(values.abs().max())), "signed")


def cut(values: Tensor) -> float:
    """The share of the numbers that `clipped_png` cuts, 0..1; half a grey level is none."""
    beyond = (values < -0.5 / 255) | (values > 1 + 0.5 / 255)
    return float(beyond.float().mean())
