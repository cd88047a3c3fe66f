"""The forward pass, one named step at a time, with the output and time of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor

from models.graph import INPUT, Network, Step


@dataclass(frozen=True, slots=True)
class StepOutput:
    """The output of one step for a batch: `tensor` is [N,C,H,W], [N,K] from flatten on."""

    step: Step
    tensor: Tensor
    seconds: float


def forward_steps(network: Network, x: Tensor, *, until: str | None = None) -> Iterator[StepOutput]:
    """Yield each named step with its output for a batch of normalised pictures.

    `x` is [N,3,S,S] float32 on the network's device; `until` names the last step to run. A tensor
    is held only as long as a later step reads it. Seconds are wall-clock, device work included.
    """
    readers = Counter(name for step in network.steps for name in step.inputs)
    alive = {INPUT: x}
    for step in network.steps:
        inputs = [alive[name] for name in step.inputs]
        started = perf_counter()
        # Entered and left inside one step: inference mode must not be held across a yield.
        with torch.inference_mode():
            output = network.module(step.name)(*inputs)
        _finish(output.device)
        seconds = perf_counter() - started
        alive[step.name] = output
        for name in step.inputs:
            readers[name] -= 1
            if not readers[name]:
                del alive[name]
        del inputs
        yield StepOutput(step, output, seconds)
        if step.name == until:
            return


_WAIT: dict[str, Callable[[], None]] = {
    "cuda": torch.cuda.synchronize,
    "mps": torch.mps.synchronize,
}


def _finish(device: torch.device) -> None:
    """Wait for the device: when a module returns, a GPU's kernels are only queued."""
    if wait := _WAIT.get(device.type):
        wait()
