"""A network as an ordered list of named steps, each a plain `torch.nn` module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

Kind = Literal["conv", "norm", "relu", "maxpool", "avgpool", "concat", "flatten", "fc", "softmax"]
Pair = tuple[int, int]

INPUT = "input"
"""The name of the input, the preprocessed picture. It is not a step itself."""


@dataclass(frozen=True, slots=True)
class Step:
    """One named operation of a network.

    `inputs` are names of earlier steps or `INPUT`; `stage` is 1-5 as in textbooks, None in the
    head; `channels` is the number of outputs, None where it equals that of the input; `kernel`,
    `stride` and `padding` are (height, width), None where there is no window.
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...] = ()
    stage: int | None = None
    channels: int | None = None
    kernel: Pair | None = None
    stride: Pair | None = None
    padding: Pair | None = None
    ceil_mode: bool = False

    @property
    def slug(self) -> str:
        """The name as a module's attribute, where a dot would mean nesting."""
        return self.name.replace(".", "__")


@dataclass(frozen=True, slots=True)
class Layer:
    """A step and the module that computes it, as built by the helpers below."""

    step: Step
    module: nn.Module


class Concat(nn.Module):
    """Joins maps along the channel axis: [N,Ci,H,W], ... -> [N, sum of Ci, H, W]."""

    def forward(self, *maps: Tensor) -> Tensor:
        return torch.cat(maps, dim=1)


class Network(nn.Module):
    """A classifier as an ordered list of named steps for pictures of `input_size` x `input_size`.

    Calling it returns logits, [N,classes]: the output of its last step that is not a softmax.
    A `partial` network ends before the logits; calling it returns its last step's output.
    Raises `ValueError` where a name is not unique or an input does not come earlier.
    """

    def __init__(
        self,
        input_size: int,
        stages: Sequence[tuple[int | None, Sequence[Layer]]],
        *,
        partial: bool = False,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.partial = partial
        steps: list[Step] = []
        known = {INPUT}
        for stage, layers in stages:
            for layer in layers:
                previous = steps[-1].name if steps else INPUT
                step = replace(layer.step, stage=stage, inputs=layer.step.inputs or (previous,))
                _check(step, known)
                known.add(step.name)
                steps.append(step)
                self.add_module(step.slug, layer.module)
        self.steps: tuple[Step, ...] = tuple(steps)
        self._by_name = {step.name: step for step in steps}

    def step(self, name: str) -> Step:
        """The step of that name. Raises `KeyError`."""
        return self._by_name[name]

    def module(self, name: str) -> nn.Module:
        """The module that computes the step of that name. Raises `KeyError`."""
        return self.get_submodule(self._by_name[name].slug)

    def upto(self, name: str) -> Network:
        """The partial network that ends with the step of that name. Raises `KeyError`."""
        last = self.steps.index(self._by_name[name])
        layers = [(step.stage, [Layer(step, self.module(step.name))]) for step in self.steps]
        return Network(self.input_size, layers[: last + 1], partial=True)

    @property
    def logits(self) -> str:
        """Name of the step whose output is the logits; "" for a partial network."""
        if self.partial:
            return ""
        return next(step.name for step in reversed(self.steps) if step.kind != "softmax")

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch, [N,3,S,S] -> [N,classes]."""
        outputs = {INPUT: x}
        for step in self.steps:
            if step.kind != "softmax":
                outputs[step.name] = self.module(step.name)(*(outputs[i] for i in step.inputs))
        return outputs[self.logits or self.steps[-1].name]


def _check(step: Step, known: Iterable[str]) -> None:
    names = set(known)
    if step.name in names:
        raise ValueError(f"two steps are named {step.name!r}")
    if missing := set(step.inputs) - names:
        raise ValueError(f"{step.name!r} reads {sorted(missing)}, which does not come before it")


def conv(
    name: str,
    channels: Pair,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    *,
    inputs: tuple[str, ...] = (),
    bias: bool = True,
) -> Layer:
    """A convolution from `channels[0]` to `channels[1]` maps."""
    module = nn.Conv2d(*channels, kernel, stride, padding, bias=bias)
    window = {"kernel": (kernel,) * 2, "stride": (stride,) * 2, "padding": (padding,) * 2}
    return Layer(Step(name, "conv", inputs, channels=channels[1], **window), module)  # type: ignore[arg-type]


def norm(name: str, channels: int) -> Layer:
    """Batch normalisation with its running statistics."""
    return Layer(Step(name, "norm"), nn.BatchNorm2d(channels))


def relu(name: str, *, inputs: tuple[str, ...] = ()) -> Layer:
    """`max(0, x)`, not in place, because the map before it is shown as well."""
    return Layer(Step(name, "relu", inputs), nn.ReLU(inplace=False))


def maxpool(
    name: str, kernel: int, stride: int, padding: int = 0, *, ceil_mode: bool = False
) -> Layer:
    """Max pooling: the largest value of each window."""
    module = nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil_mode)
    step = Step(
        name,
        "maxpool",
        kernel=(kernel, kernel),
        stride=(stride, stride),
        padding=(padding, padding),
        ceil_mode=ceil_mode,
    )
    return Layer(step, module)


def avgpool(name: str) -> Layer:
    """Global average pooling: the mean of each map, [N,C,H,W] -> [N,C,1,1]."""
    return Layer(Step(name, "avgpool"), nn.AdaptiveAvgPool2d(1))


def concat(name: str, inputs: tuple[str, ...]) -> Layer:
    """Concatenation of the maps of several steps along the channels."""
    return Layer(Step(name, "concat", inputs), Concat())


def flatten(name: str = "flatten") -> Layer:
    """Flatten all maps to one vector."""
    return Layer(Step(name, "flatten"), nn.Flatten(1))


def fc(name: str, features: Pair) -> Layer:
    """A fully connected layer from `features[0]` to `features[1]` numbers."""
    return Layer(Step(name, "fc", channels=features[1]), nn.Linear(*features))


def softmax(name: str = "softmax") -> Layer:
    """Logits to probabilities."""
    return Layer(Step(name, "softmax"), nn.Softmax(dim=1))
