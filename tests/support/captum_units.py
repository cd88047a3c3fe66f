"""A unit as captum asks for it."""

from __future__ import annotations

from torch import Tensor, nn

from app.vision.units import Unit
from models.graph import INPUT, Network


class Asked(nn.Module):
    """A network up to a step; a unit without a cell is the mean of its map."""

    def __init__(self, network: Network, unit: Unit) -> None:
        super().__init__()
        self.network = network
        self.mean = unit.cell is None
        self.names = [step.name for step in network.steps]
        self.names = self.names[: self.names.index(unit.step) + 1]

    def forward(self, x: Tensor) -> Tensor:
        outputs = {INPUT: x}
        for name in self.names:
            step = self.network.step(name)
            outputs[name] = self.network.module(name)(*(outputs[i] for i in step.inputs))
        end = outputs[self.names[-1]]
        return end.mean((2, 3)) if self.mean and end.ndim == 4 else end


def target(unit: Unit) -> int | tuple[int, ...]:
    return unit.channel if unit.cell is None else (unit.channel, *unit.cell)
