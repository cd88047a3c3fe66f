"""The output of a kernel for a photo, drawn with clipped colours or in the signed palette."""

import torch
from PIL import Image
from torch import Tensor

from app.pictures.preprocess import input_png
from app.pictures.sheets import encode, quantise


def shrink(image: Image.Image, side: int) -> Tensor:
    """Shrink a photo to at most `side` pixels (area average): uint8 [3,H,W]."""
    if max(image.size) > side:
        width, height = (max(1, round(n * side / max(image.size))) for n in image.size)
        image = image.resize((width, height), Image.Resampling.BOX, reducing_gap=3.0)
    data = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return data.view(image.height, image.width, 3).permute(2, 0, 1).contiguous()


def clipped_png(values: Tensor) -> bytes:
    """Draw colours [3,H,W], 0 black to 1 full; values outside are clipped."""
    return input_png(values.clamp(0, 1).mul(255).round().to(torch.uint8))


def signed_png(values: Tensor) -> bytes:
    """Draw a map [H,W]: warm above zero, cool below, near-black at zero, full at its largest."""
    return encode(quantise(values, float(values.abs().max())), "signed")


def clipped_share(values: Tensor) -> float:
    """The share of values that `clipped_png` clips, 0..1, by more than half a grey level."""
    beyond = (values < -0.5 / 255) | (values > 1 + 0.5 / 255)
    return float(beyond.float().mean())
