"""Which channel of which earlier step a unit is made of alone: where to ask what it responds to."""

from __future__ import annotations

from app.vision.units import before_relu
from models.graph import INPUT, Network


def origin(
    network: Network, channels: dict[str, int], name: str, channel: int | None
) -> tuple[str, int | None]:
    """The step before every ReLU, pooling and concatenation that made a unit, and its channel.

    After a ReLU a unit that is off tells nothing; a pool and a concatenation add nothing of their
    own. `channels` counts those of each step. A whole layer (None) stays behind a concatenation.
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
