"""The arithmetic of any cell of any step, from what the network made of a picture."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from app.vision.arithmetic.convolution import ConvCell, conv_cell
from app.vision.arithmetic.pointwise import (
    CopyCell,
    NormCell,
    ReluCell,
    concat_cell,
    flatten_cell,
    norm_cell,
    relu_cell,
)
from app.vision.arithmetic.pooling import MeanCell, PoolCell, mean_cell, pool_cell
from app.vision.arithmetic.voting import ShareCell, VoteCell, share_cell, vote_cell
from app.vision.window import Window
from models.graph import INPUT, Network

Cell = ConvCell | ReluCell | PoolCell | MeanCell | NormCell | CopyCell | VoteCell | ShareCell

Outputs = Callable[[str], Tensor]
"""What a step made of the picture, by name: [C,H,W] or [K]; `INPUT` is the normalised picture."""


def explain(
    network: Network, outputs: Outputs, name: str, channel: int, cell: tuple[int, int]
) -> Cell:
    """The arithmetic of cell (row, column) of a channel of step `name`; (0, 0) of a number.

    Raises `KeyError` for an unknown step and `IndexError` for a cell that is not there.
    """
    step, module = network.step(name), network.module(name)
    output = outputs(name)
    value = output[channel][cell].item() if output.ndim == 3 else output[channel].item()
    before = step.inputs[0]
    if isinstance(module, nn.Conv2d):
        inputs, rectify = read_by(network, outputs, before)
        bias = 0.0 if module.bias is None else module.bias[channel].item()
        kernel = module.weight[channel].detach()
        return conv_cell(Window.of(step), inputs, kernel, bias, value, cell, rectify=rectify)
    if isinstance(module, nn.Linear):
        return vote_cell(module, outputs(before), value, channel)
    match step.kind:
        case "relu":
            return relu_cell(outputs(before), channel, cell)
        case "maxpool":
            return pool_cell(Window.of(step), outputs(before)[channel], value, cell)
        case "avgpool":
            return mean_cell(outputs(before)[channel], value)
        case "concat":
            sources = tuple((one, len(outputs(one))) for one in step.inputs)
            return concat_cell(sources, channel, cell, value)
        case "flatten":
            return flatten_cell(before, outputs(before).shape, channel, value)
        case "softmax":
            return share_cell(outputs(before), value, channel)
    if isinstance(module, nn.BatchNorm2d):
        return norm_cell(module, outputs(before)[channel][cell].item(), value, channel)
    raise ValueError(f"nothing explains a {step.kind}")


def read_by(network: Network, outputs: Outputs, name: str) -> tuple[Tensor, bool]:
    """What a convolution reads, and whether a ReLU is still to be applied to it.

    A run does not keep what its ReLUs made, and one patch needs little of it.
    """
    if name != INPUT and network.step(name).kind == "relu":
        return outputs(network.step(name).inputs[0]), True
    return outputs(name), False
