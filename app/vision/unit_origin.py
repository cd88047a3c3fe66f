"""Which earlier pre-ReLU channel does a unit copy? That is where its preference is measured."""

from __future__ import annotations

from app.vision.units import before_relu
from models.graph import INPUT, Network


def origin(
    network: Network, channels: dict[str, int], name: str, channel: int | None
) -> tuple[str, int | None]:
    """Trace a unit back through ReLU, pooling and concatenation to a step and its channel.

    After a ReLU a unit that is off has no gradient; pooling and concatenation compute nothing new.
    `channels` is the number of channels of each step. A whole layer (None) stops at a
    concatenation.
    """
    while True:
        step = network.step(name)
        if step.kind == "concat" and channel is not None:
            for part in step.inputs:
                if channel < channels[part]:
                    break
                channel -= channels[part]
            name = part
        elif step.kind == "maxpool" and step.inputs[0] != INPUT:
            name = step.inputs[0]
        elif (before := before_relu(network, name)) != name:
            name = before
        else:
            return name, channel
