"""A partial forward pass, from any feature maps to any step; gradients flow through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from models.graph import Network, Step

Rule = Callable[[Tensor], Tensor]
"""A replacement for every ReLU: `x -> max(0, x)` with a backward pass of its own."""


def partial_forward(
    network: Network,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    *,
    relu: Rule | None = None,
) -> dict[str, Tensor]:
    """Compute the outputs of some steps from the batches `inputs`, both by name.

    `INPUT` is the picture. Only steps between the two are computed, and a map is dropped once no
    step reads it. Raises `KeyError` for an unknown step, and for one that needs more than `inputs`.
    """
    needed = steps_between(network, inputs, outputs)
    readers = Counter(outputs)
    readers.update(name for step in needed for name in step.inputs)
    alive = dict(inputs)
    for step in needed:
        module = relu if relu is not None and step.kind == "relu" else network.module(step.name)
        alive[step.name] = module(*(alive[name] for name in step.inputs))
        for name in step.inputs:
            readers[name] -= 1
            if not readers[name]:
                del alive[name]
    return {name: alive[name] for name in outputs}


def steps_between(
    network: Network, inputs: Mapping[str, object], outputs: Sequence[str]
) -> list[Step]:
    """The steps to compute, in order, to get from `inputs` to `outputs`, both names of steps."""
    needed: set[str] = set()
    left = [name for name in outputs if name not in inputs]
    while left:
        step = network.step(left.pop())
        if step.name not in needed:
            needed.add(step.name)
            left += [name for name in step.inputs if name not in inputs]
    return [step for step in network.steps if step.name in needed]


def steps_after(network: Network, name: str) -> set[str]:
    """Names of the steps that depend on step `name`, itself not included."""
    reached = {name}
    for step in network.steps:
        if reached & set(step.inputs):
            reached.add(step.name)
    return reached - {name}


def side_inputs(network: Network, name: str, outputs: Sequence[str]) -> list[str]:
    """Names of the other steps needed to compute `outputs` from step `name`.

    In a graph a later step may also read maps that do not depend on step `name`.
    """
    changed, found, left = steps_after(network, name), set[str](), list(outputs)
    while left:
        one = left.pop()
        if one in changed:
            left += network.step(one).inputs
        elif one != name:
            found.add(one)
    return sorted(found)


def gradient_of(value: Tensor, x: Tensor) -> Tensor:
    """Gradient d value / d x; no gradient of a parameter is computed."""
    (found,) = torch.autograd.grad(value, x)
    return found
