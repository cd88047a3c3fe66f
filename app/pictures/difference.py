"""The difference of two pictures as an amplified picture: mid grey is no change."""

import torch
from torch import Tensor

from app.pictures.preprocess import input_png

GREY = 128
ROOM = 127
"""Grey levels from mid grey to black or white."""

FACTORS = (
    120.0, 60.0, 40.0, 30.0, 25.0, 20.0, 15.0, 12.0, 10.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0,
    0.5,
)  # fmt: skip


def difference_png(before: Tensor, after: Tensor, amplify: float) -> bytes:
    """Draw `amplify` times the change of uint8 [3,S,S] around mid grey, clipped to 1..255."""
    change = (after.to(torch.float32) - before.to(torch.float32)) * amplify
    return input_png((change.round().clamp(-ROOM, ROOM) + GREY).to(torch.uint8))


def amplification(largest: float) -> float:
    """The largest round factor that shows a change of `largest` pixel values unclipped."""
    fitting = (factor for factor in FACTORS if factor * largest <= ROOM + 0.5)
    return next(fitting, FACTORS[-1])
