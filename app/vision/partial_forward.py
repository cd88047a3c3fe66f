"""Part of a network's forward pass, which gradients can flow through: from any maps to any step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from models.graph import Network, Step

Rule = Callable[[Tensor], Tensor]
"""What stands in for every ReLU, `x -> max(0, x)` with a backward pass of its own."""


def run(
    network: Network,
    given: Mapping[str, Tensor],
    wanted: Sequence[str],
    *,
    relu: Rule | None = None,
) -> dict[str, Tensor]:
    """What the steps `wanted` make of the batches `given`, by name; `INPUT` is the picture.

    Only steps between the two are computed, and a map is let go once nobody reads it. Raises
    `KeyError` for an unknown step, and for one that needs more than is given.
    """
    needed = between(network, given, wanted)
    readers = Counter(wanted)
    readers.update(name for step in needed for name in step.inputs)
    alive = dict(given)
    for step in needed:
        module = relu if relu is not None and step.kind == "relu" else network.module(step.name)
        alive[step.name] = module(*(alive[name] for name in step.inputs))
        for name in step.inputs:
            readers[name] -= 1
            if not readers[name]:
                del alive[name]
    return {name: alive[name] for name in wanted}


def between(network: Network, given: Mapping[str, object], wanted: Sequence[str]) -> list[Step]:
    """The steps to compute, in order, for those `wanted` where those `given` are known."""
    needed: set[str] = set()
    left = [name for name in wanted if name not in given]
    while left:
        step = network.step(left.pop())
        if step.name not in needed:
            needed.add(step.name)
            left += [name for name in step.inputs if name not in given]
    return [step for step in network.steps if step.name in needed]


def after(network: Network, name: str) -> set[str]:
    """Names of the steps that a change of step `name` reaches, itself not among them."""
    reached = {name}
    for step in network.steps:
        if reached & set(step.inputs):
            reached.add(step.name)
    return reached - {name}


def border(network: Network, name: str, wanted: Sequence[str]) -> list[str]:
    """What must be given beside step `name` to run on from it alone to the steps `wanted`.

    In a graph a later step may also read maps that the change does not reach.
    """
    changed, found, left = after(network, name), set[str](), list(wanted)
    while left:
        one = left.pop()
        if one in changed:
            left += network.step(one).inputs
        elif one != name:
            found.add(one)
    return sorted(found)


def gradient_of(value: Tensor, x: Tensor) -> Tensor:
    """d value / d x, and nothing else's: no parameter of a network is touched."""
    (found,) = torch.autograd.grad(value, x)
    return found
