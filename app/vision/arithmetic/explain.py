"""The arithmetic of any cell of any step, from the outputs of a forward pass."""

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
"""Returns a step's output by name: [C,H,W] or [K]; `INPUT` is the normalised picture."""


def explain(
    network: Network, outputs: Outputs, name: str, channel: int, cell: tuple[int, int]
) -> Cell:
    """The arithmetic of cell (row, column) of a channel of step `name`; (0, 0) from flatten on.

    Raises `KeyError` for an unknown step and `IndexError` for an unknown channel or cell.
    """
    step, module = network.step(name), network.module(name)
    before = step.inputs[0]
    grid = one_channel(network, outputs, name, channel)
    value = grid[cell].item() if grid.ndim else grid.item()
    if isinstance(module, nn.Conv2d):
        inputs, rectify = input_of(network, outputs, before)
        bias = 0.0 if module.bias is None else module.bias[channel].item()
        kernel = module.weight[channel].detach()
        return conv_cell(Window.of(step), inputs, kernel, bias, value, cell, rectify=rectify)
    if isinstance(module, nn.Linear):
        return vote_cell(module, outputs(before), value, channel)
    if step.kind == "relu":
        return relu_cell(outputs(before), channel, cell)
    if step.kind == "concat":
        sources = tuple((one, len(input_of(network, outputs, one)[0])) for one in step.inputs)
        return concat_cell(sources, channel, cell, value)
    if step.kind == "flatten":
        shape = input_of(network, outputs, before)[0].shape
        return flatten_cell(before, shape, channel, value)
    if step.kind == "softmax":
        return share_cell(outputs(before), value, channel)
    given = one_channel(network, outputs, before, channel)
    if step.kind == "maxpool":
        return pool_cell(Window.of(step), given, value, cell)
    if step.kind == "avgpool":
        return mean_cell(given, value)
    if isinstance(module, nn.BatchNorm2d):
        return norm_cell(module, given[cell].item(), value, channel)
    raise ValueError(f"nothing explains a {step.kind}")


def one_channel(network: Network, outputs: Outputs, name: str, channel: int) -> Tensor:
    """One map of a step, [H,W], or one number; a ReLU is applied to that map only."""
    tensor, rectify = input_of(network, outputs, name)
    return tensor[channel].clamp_min(0) if rectify else tensor[channel]


def input_of(network: Network, outputs: Outputs, name: str) -> tuple[Tensor, bool]:
    """The tensor that a step reads, and whether a ReLU must still be applied to it.

    A run does not store the outputs of its ReLUs, and one cell needs little of them.
    """
    if name != INPUT and network.step(name).kind == "relu":
        return outputs(network.step(name).inputs[0]), True
    return outputs(name), False
