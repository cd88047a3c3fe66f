"""Objectives of activation maximisation: which number does a synthesised picture maximise?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.vision.memory_layout import channels_last
from app.vision.partial_forward import partial_forward, steps_between
from app.vision.units import before_relu
from models.graph import INPUT, Network

LINEAR = 0.1
"""Weight of a response next to the square of its positive part: a unit below zero has a slope."""


@dataclass(frozen=True, slots=True)
class SynthesisGoal:
    """The objective to maximise, or with `away` to minimise.

    The mean of a channel's map, or a class's logit; with `second` mixed with that channel's, whose
    weight is `share` (0..1); without a channel the mean square of the whole layer (DeepDream).
    """

    channel: int | None = None
    second: int | None = None
    share: float = 0.5
    away: bool = False

    @property
    def channels(self) -> list[int]:
        """The channels that the goal reads; [] for all."""
        return [one for one in (self.channel, self.second) if one is not None]

    def value(self, output: Tensor) -> Tensor:
        """The objective for one picture, from its output [C,H,W] or [K]."""
        if self.channel is None:
            found = output.square().mean()
        elif self.second is None:
            found = output[self.channel].mean()
        else:
            first, second = output[self.channel].mean(), output[self.second].mean()
            found = first * (1 - self.share) + second * self.share
        return -found if self.away else found

    def among(self, channels: Sequence[int]) -> SynthesisGoal:
        """The same goal for an output that has only these channels."""
        first, second = (
            None if one is None else channels.index(one) for one in (self.channel, self.second)
        )
        return replace(self, channel=first, second=second)


class Lens:
    """Computes the objectives of normalised pictures, one goal a picture.

    Of a convolution or a fully connected step only the channels are computed that a goal reads.
    Where no ReLU comes before the step (conv1), a response x counts as max(0, x)^2 + x / 10: the
    mean response of an edge filter to any picture is nearly its response to the mean colour, and
    only its peaks show what it prefers. `side` is the size that pictures must have, None for any.
    """

    def __init__(self, network: Network, step: str, goals: Sequence[SynthesisGoal]) -> None:
        self.at = before_relu(network, step)
        self.side = network.input_size if size_is_fixed(network, self.at) else None
        all_named = all(goal.channels for goal in goals)
        wanted = sorted({one for goal in goals for one in goal.channels}) if all_named else []
        self._last = _part(network.module(self.at), wanted)
        self._goals = tuple(goal.among(wanted) if self._last else goal for goal in goals)
        self._slope = slope(network, self.at)
        self._until = network.step(self.at).inputs[0] if self._last else self.at
        self._network = channels_last(network, self._until)

    def values(self, pictures: Tensor) -> Tensor:
        """Each picture's objective: [N,3,S,S] -> [N]."""
        output = partial_forward(self._network, {INPUT: pictures}, [self._until])[self._until]
        output = self._last(output) if self._last else output
        output = objective_response(output, self._slope)
        return torch.stack([goal.value(one) for goal, one in zip(self._goals, output, strict=True)])


def slope(network: Network, at: str) -> float:
    """Weight of the linear term at a step: 1 after a ReLU or a max pool, `LINEAR` before them."""
    before = steps_between(network, {INPUT: None}, [at])
    return 1.0 if any(one.kind in ("relu", "maxpool") for one in before) else LINEAR


def objective_response(output: Tensor, slope: float) -> Tensor:
    """Responses as goals count them: unchanged for slope 1, else max(0, x)^2 + slope x."""
    return output if slope == 1 else output.clamp_min(0).square() + slope * output


def _part(module: nn.Module, channels: list[int]) -> Callable[[Tensor], Tensor] | None:
    """A function that computes only `channels` of a module; None where that does not apply."""
    if not channels or not isinstance(module, nn.Conv2d | nn.Linear):
        return None
    weight = module.weight.detach()[channels]
    bias = None if module.bias is None else module.bias.detach()[channels]
    if isinstance(module, nn.Linear):
        return lambda x: F.linear(x, weight, bias)
    if module.groups > 1 or isinstance(module.padding, str):
        return None
    stride, padding, dilation = module.stride, module.padding, module.dilation
    return lambda x: F.conv2d(x, weight, bias, stride, padding, dilation)


def size_is_fixed(network: Network, until: str) -> bool:
    """Whether a step needs pictures of the network's own size (there is a fully connected step)."""
    step = network.step(until)
    while step.kind != "fc" and step.inputs[0] != INPUT:
        step = network.step(step.inputs[0])
    return step.kind == "fc"
