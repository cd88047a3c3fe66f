"""Where it happens: how a small change of the picture grows from step to step."""

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
    """At one step: |a - c| / |c| and the cosine of c and a, c clean and a attacked.

    `noise_relative_l2` and `noise_cosine` are the same for the noise beside the attack.
    """

    step: str
    relative_l2: float
    cosine: float
    noise_relative_l2: float
    noise_cosine: float


def drift(
    network: Network, model: PixelModel, clean: Tensor, attacked: Tensor, noisy: Tensor
) -> Iterator[DriftStep]:
    """Compare the outputs of every step for three uint8 pictures [3,S,S], as they are computed.

    All three go together, a step's output is dropped once nobody reads it: memory stays flat.
    """
    pictures = torch.stack([clean, attacked, noisy]).to(model.device).float()
    outputs = forward_steps(network, model.normalised(pictures))
    while True:
        # Entered and left inside one step: nothing may be held across a yield.
        with model.evaluating():
            output = next(outputs, None)
        if output is None:
            return
        yield compared(output.step.name, *output.tensor)


def compared(step: str, clean: Tensor, attacked: Tensor, noisy: Tensor) -> DriftStep:
    """One step's outputs for the three pictures, of the same shape, set against each other."""
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
