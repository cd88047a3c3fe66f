"""In which layers does an attack take effect? How a small perturbation grows step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.attacks.pixel_model import PixelModel
from app.vision.forward import forward_steps
from app.vision.shift import relative_change
from models.graph import Network


@dataclass(frozen=True, slots=True)
class DriftStep:
    """One step: |a - c| / |c| and the cosine of c and a, c the clean and a the attacked output.

    `noise_relative_l2` and `noise_cosine` are the same for the control noise.
    """

    step: str
    relative_l2: float
    cosine: float
    noise_relative_l2: float
    noise_cosine: float


def drift(
    network: Network, model: PixelModel, clean: Tensor, attacked: Tensor, noisy: Tensor
) -> Iterator[DriftStep]:
    """Compare every step's outputs for three uint8 pictures [3,S,S], while they are computed.

    The three are one batch, and an output is dropped once no step reads it: memory stays flat.
    """
    pictures = torch.stack([clean, attacked, noisy]).to(model.device).float()
    outputs = forward_steps(network, model.normalised(pictures))
    while True:
        # Entered and left inside one step: no mode may be held across a yield.
        with model.evaluating():
            output = next(outputs, None)
        if output is None:
            return
        yield compared(output.step.name, *output.tensor)


def compared(step: str, clean: Tensor, attacked: Tensor, noisy: Tensor) -> DriftStep:
    """Compare one step's outputs, of the same shape, for the three pictures."""
    return DriftStep(
        step,
        relative_change(clean, attacked),
        cosine(clean, attacked),
        relative_change(clean, noisy),
        cosine(clean, noisy),
    )


def cosine(one: Tensor, other: Tensor) -> float:
    """Cosine of the angle between two outputs, -1..1; 1 where both are zero, 0 where one is."""
    a, b = one.double().flatten(), other.double().flatten()
    size = float(a.norm() * b.norm())
    return float(a @ b) / size if size else float(not a.any() and not b.any())
