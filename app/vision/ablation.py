"""Ablation: what does a network predict with channels set to zero, and which matter most?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.partial_forward import partial_forward, side_inputs
from models.graph import INPUT, Network


@dataclass(frozen=True, slots=True)
class Costs:
    """How far a class's logit and probability drop when each of `channels` is ablated alone.

    `logits` and `probabilities` are the drops, [n] each; below zero the class gains.
    """

    channels: range
    logits: Tensor
    probabilities: Tensor


class Ablation:
    """Runs one normalised picture [3,S,S] up to `step`, then on from there with channels ablated.

    An ablated channel is zero. In a graph, maps that the step does not reach are stored as well.
    `known` returns outputs by name, [C,H,W] or [K], of an earlier pass: the part up to the step is
    then not computed again. Raises `KeyError` for an unknown step.
    """

    def __init__(
        self,
        network: Network,
        picture: Tensor,
        step: str,
        known: Callable[[str], Tensor] | None = None,
    ) -> None:
        self._network = network
        self._step = step
        self._ends = [network.logits or network.steps[-1].name]
        with torch.inference_mode():
            kept = [step, *side_inputs(network, step, self._ends)]
            if known is None:
                self._given = partial_forward(network, {INPUT: picture[None]}, kept)
            else:
                self._given = {name: known(name)[None].to(picture.device) for name in kept}
            self.output = self._given[step][0]

    @property
    def channels(self) -> int:
        """Number of channels of the step."""
        return len(self.output)

    def off(self, channels: Sequence[int], wanted: Sequence[str]) -> dict[str, Tensor]:
        """Outputs of later steps with `channels` set to zero: [C,H,W] or [K] by name.

        Raises `IndexError` for an unknown channel, `KeyError` for an unknown step.
        """
        scale = torch.ones(self.channels)
        scale[list(channels)] = 0
        return {name: one[0] for name, one in self._on(scale[None], wanted).items()}

    def only(self, channels: Sequence[int], wanted: Sequence[str]) -> dict[str, Tensor]:
        """Outputs of later steps with all other channels set to zero."""
        scale = torch.zeros(self.channels)
        scale[list(channels)] = 1
        return {name: one[0] for name, one in self._on(scale[None], wanted).items()}

    def costs(self, index: int, batch: int = 16, start: int = 0) -> Iterator[Costs]:
        """Yield the `Costs` of each channel to class `index`, `batch` channels at a time.

        The first channel is `start`. Raises `ValueError` for a network without a classifier.
        """
        name = self._network.logits
        if not name:
            raise ValueError("a network without a classifier has no classes")
        whole = self.off([], [name])[name]
        for first in range(start, self.channels, batch):
            some = range(first, min(first + batch, self.channels))
            scale = torch.ones(len(some), self.channels)
            scale[range(len(some)), some] = 0
            logits = self._on(scale, [name])[name]
            shares = logits.softmax(1)[:, index]
            yield Costs(some, whole[index] - logits[:, index], whole.softmax(0)[index] - shares)

    def _on(self, scale: Tensor, wanted: Sequence[str]) -> dict[str, Tensor]:
        """Run the later steps with the channels multiplied by `scale` [N,C], zeros and ones."""
        with torch.inference_mode():
            shape = (*scale.shape, *[1] * (self.output.ndim - 1))
            changed = self.output * scale.to(self.output).view(shape)
            given = {
                name: one.expand(len(scale), *one.shape[1:]) for name, one in self._given.items()
            }
            return partial_forward(self._network, {**given, self._step: changed}, wanted)


def ranked(costs: Sequence[Costs], by: str = "logits") -> list[int]:
    """All channels, largest drop first; `by` is `logits` or `probabilities`."""
    drops = torch.cat([getattr(one, by) for one in costs])
    order: list[int] = drops.argsort(descending=True, stable=True).tolist()
    return order
