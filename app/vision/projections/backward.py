"""The backward pass from a unit to the picture that all methods share; ReLUs differ."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from app.vision.partial_forward import Rule, gradient_of, partial_forward
from app.vision.units import Unit
from models.graph import INPUT, Network


def back(network: Network, picture: Tensor, unit: Unit, relu: Rule | None = None) -> Tensor:
    """Gradient d unit / d picture with `relu` in place of every ReLU: [3,S,S].

    Nothing is computed beyond the unit's step.
    """
    with torch.inference_mode(False), torch.enable_grad():
        x = picture.detach().clone()[None].requires_grad_()
        output = partial_forward(network, {INPUT: x}, [unit.step], relu=relu)[unit.step]
        return gradient_of(unit.value(output).sum(), x)[0]


class GuidedRelu(torch.autograd.Function):
    """max(0, x); the backward pass keeps positive gradients where x is positive."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        output = x.clamp_min(0)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        passed: Tensor = torch.ops.aten.threshold_backward(gradients[0], output, 0)
        return passed.clamp_min_(0)


class UpwardRelu(torch.autograd.Function):
    """max(0, x); the backward pass keeps positive gradients, whatever x is."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clamp_min(0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].clamp_min(0)
