"""Small networks of every kind of step, with random weights that are the same each time."""

from __future__ import annotations

import torch

from app.vision.interruption import ask
from models.graph import (
    Network,
    avgpool,
    concat,
    conv,
    fc,
    flatten,
    maxpool,
    norm,
    relu,
    softmax,
)


def seeded(network: Network, seed: int = 0) -> Network:
    """Random weights, and running statistics as training might have left them."""
    lot = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if "running_var" in name:
                value.uniform_(0.5, 2, generator=lot)
            elif value.is_floating_point():
                value.normal_(0, 0.4, generator=lot)
    return network.eval()


def graph() -> Network:
    """A branch that is joined again, a norm, and a mean of maps at the end, over 16 x 16."""
    stem = [conv("conv1", (3, 6), 3, 2, 1), norm("norm1", 6), relu("relu1"), maxpool("pool1", 3, 2)]
    sides = [
        conv("left", (6, 4), 1, inputs=("pool1",)),
        relu("left_relu"),
        conv("right", (6, 5), 3, 1, 1, inputs=("pool1",)),
        relu("right_relu"),
        concat("both", ("left_relu", "right_relu")),
    ]
    end = [conv("last", (9, 4), 1), relu("last_relu")]
    head = [avgpool("avgpool"), flatten(), softmax()]
    return seeded(Network(16, [(1, stem), (2, sides), (3, end), (None, head)]))


def chain() -> Network:
    """Convolutions, a pool and two fully connected layers over 16 x 16."""
    first = [conv("conv1", (3, 6), 3, 1, 1), relu("relu1"), maxpool("pool1", 2, 2)]
    second = [conv("conv2", (6, 5), 3, 1, 1), relu("relu2"), maxpool("pool2", 2, 2)]
    head = [flatten(), fc("fc1", (80, 7)), relu("relu3"), fc("fc2", (7, 4)), softmax()]
    return seeded(Network(16, [(1, first), (2, second), (None, head)]))


def untouched(network: Network) -> bool:
    """Whether nothing was left behind: no gradient, no hook, still in eval mode."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return (
        all(parameter.grad is None for parameter in network.parameters())
        and all(
            hook is ask
            for module in network.modules()
            for name in hooks
            for hook in getattr(module, name).values()
        )
        and not any(module.training for module in network.modules())
    )
