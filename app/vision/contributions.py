"""How much does each input channel contribute to the strongest cell of an output channel?

A cell of a convolution is a sum: value = bias + sum over input channels of sum(patch * kernel).
The terms are exact, so that lines drawn from them add up to the value they lead to. A fully
connected unit is the same sum over its inputs, grouped by the map they were flattened from.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from app.vision.arithmetic.convolution import conv_cell
from app.vision.arithmetic.voting import vote_cell
from app.vision.window import Window
from models.graph import Step


@dataclass(frozen=True, slots=True)
class Contributions:
    """Contributions to one output channel at cell (y, x): `value = bias + terms.sum()`.

    `terms` is [C] in float64, one sum per input channel. y and x are 0 where the output has no rows
    and columns.
    """

    channel: int
    y: int
    x: int
    value: float
    bias: float
    terms: Tensor


def strongest_cell(tensor: Tensor) -> tuple[int, int]:
    """Row and column of the highest value of a map [H,W]; the first in reading order."""
    place = int(tensor.argmax().item())
    return divmod(place, tensor.shape[1])


def conv_contributions(
    step: Step,
    module: nn.Conv2d,
    inputs: Tensor,
    output: Tensor,
    channel: int,
    cell: tuple[int, int] | None = None,
    *,
    rectify: bool = False,
) -> Contributions:
    """Contributions to `channel` at `cell` (row, column), by default its strongest cell.

    `inputs` is [C,H,W], `output` [K,H',W']. With `rectify` the inputs are those of the ReLU before
    the convolution, and the ReLU is applied to the patch only.
    """
    y, x = cell or strongest_cell(output[channel])
    bias = 0.0 if module.bias is None else module.bias[channel].item()
    kernel, value = module.weight[channel], output[channel, y, x].item()
    made = conv_cell(Window.of(step), inputs, kernel, bias, value, (y, x), rectify=rectify)
    return Contributions(channel, y, x, value, bias, made.terms)


def fc_contributions(
    module: nn.Linear, inputs: Tensor, output: Tensor, unit: int, groups: int
) -> Contributions:
    """Contributions to a fully connected `unit`; `inputs` [M] is summed in `groups` equal parts."""
    made = vote_cell(module, inputs, output[unit].item(), unit)
    terms = made.products.reshape(groups, -1).sum(1)
    return Contributions(unit, 0, 0, made.value, made.bias, terms)
