"""How much does each cell of the last feature maps contribute to a class's logit?

Between the last maps and the logits lie sums and ReLUs. For one picture each ReLU either passes its
number or sets it to zero, so that the logit is a plain sum over the maps' cells (gradient x input):
logit = bias + sum of cell * gradient, exactly (the gradient of a piecewise linear function).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from app.vision.arithmetic.explain import Outputs
from models.graph import INPUT, Network


@dataclass(frozen=True, slots=True)
class ClassContributions:
    """The contribution of each cell of `step`: `value = bias + terms.sum()`, terms [C,H,W]."""

    step: str
    value: float
    bias: float
    terms: Tensor

    @property
    def map(self) -> Tensor:
        """Contribution of each position, summed over all channels: [H,W]."""
        return self.terms.sum(0)

    @property
    def magnitude(self) -> float:
        """Sum of the magnitudes of bias and terms."""
        return abs(self.bias) + float(self.terms.abs().sum())


def class_contributions(network: Network, outputs: Outputs, index: int) -> ClassContributions:
    """Split the logit of class `index` among the cells of the last maps before the head.

    Raises `ValueError` for a partial network.
    """
    if not network.logits:
        raise ValueError("a network without a classifier has no scores")
    name, bias = network.logits, 0.0
    value = outputs(name)[index].item()
    say = torch.zeros(len(outputs(name)), dtype=torch.float64)
    say[index] = 1
    while not _is_map(name, outputs):
        module, before = network.module(name), network.step(name).inputs[0]
        given = outputs(before).cpu()
        if isinstance(module, nn.Linear):
            if module.bias is not None:
                bias += float(module.bias.detach().cpu().double() @ say)
            # The large product stays in float32, as in the network: memory access takes the time.
            weight = module.weight.detach()
            say = (say.to(weight) @ weight).cpu().double()
        elif network.step(name).kind == "relu":
            say = say * (given.flatten() > 0)
        elif network.step(name).kind == "avgpool":
            cells = given.shape[1] * given.shape[2]
            say = (say.view(-1, 1, 1) / cells).expand(given.shape)
        say = say.reshape(given.shape)
        name = before
    terms = say * outputs(name).cpu().double()
    return ClassContributions(name, value, bias, terms)


def _is_map(name: str, outputs: Outputs) -> bool:
    """Whether a step's output has rows and columns: more than one cell a channel."""
    shape = outputs(name).shape
    return name == INPUT or (len(shape) == 3 and shape[1] * shape[2] > 1)
