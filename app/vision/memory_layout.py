"""Memory layout of a network's kernels (channels last): faster passes, same values."""

from __future__ import annotations

import torch
from torch import nn

from models.graph import INPUT, Layer, Network


def channels_last(network: Network, until: str) -> Network:
    """Return the part of a network that ends with a step, its kernels in channels-last layout.

    A pass on a CPU, forward or forward and backward, then takes a sixth to a third less time:
    oneDNN does not reorder them each time. Worth it for many passes: kernels are copied, all else
    is shared. On other devices, and where nothing comes before the step, returns the network.
    """
    if until == INPUT or next(network.parameters()).device.type != "cpu":
        return network
    part = network.upto(until)
    layers = [(step.stage, [Layer(step, _laid_out(part.module(step.name)))]) for step in part.steps]
    return Network(part.input_size, layers, partial=True).eval()


def _laid_out(module: nn.Module) -> nn.Module:
    if not isinstance(module, nn.Conv2d):
        return module
    # Created on the meta device: a deep copy would copy all weights twice.
    made = nn.Conv2d(
        module.in_channels,
        module.out_channels,
        module.kernel_size,  # type: ignore[arg-type]
        module.stride,  # type: ignore[arg-type]
        module.padding,  # type: ignore[arg-type]
        module.dilation,  # type: ignore[arg-type]
        module.groups,
        padding_mode=module.padding_mode,
        device="meta",
    )
    # Outside any inference mode of the caller: gradients must flow through.
    with torch.inference_mode(False):
        weight = module.weight.detach().contiguous(memory_format=torch.channels_last)
        made.weight = nn.Parameter(weight, requires_grad=False)
    made.bias = module.bias
    return made.eval()
