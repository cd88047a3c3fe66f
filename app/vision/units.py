"""The unit that an explanation is about: a channel of a step, one of its cells, or a class."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from models.graph import INPUT, Network


@dataclass(frozen=True, slots=True)
class Unit:
    """A channel of a step; a class is a channel of the step with the logits, or of the softmax.

    `cell` is (row, column). Without it the unit's value is the mean of its map.
    """

    step: str
    channel: int
    cell: tuple[int, int] | None = None

    def value(self, output: Tensor) -> Tensor:
        """The unit's value in each output of its step, [N,C,H,W] or [N,K] -> [N]."""
        found = output[:, self.channel]
        if found.ndim == 1:
            return found
        return found.mean((1, 2)) if self.cell is None else found[:, self.cell[0], self.cell[1]]


def before_relu(network: Network, name: str) -> str:
    """The step before the ReLU, if `name` is a ReLU or a mean of one; `name` itself otherwise.

    After a ReLU a unit that is off has no gradient. In a network that ends with the mean of a map
    for each class, it is the step before that mean and its ReLU.
    """
    while (step := network.step(name)).inputs[0] != INPUT:
        if step.kind == "flatten" and network.step(step.inputs[0]).kind != "avgpool":
            return name
        if step.kind not in ("relu", "avgpool", "flatten", "softmax"):
            return name
        name = step.inputs[0]
    return name
