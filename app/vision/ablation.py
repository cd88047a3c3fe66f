"""A network with channels switched off: what it answers then, and which it misses most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.partial_forward import border, run
from models.graph import INPUT, Network


@dataclass(frozen=True, slots=True)
class Costs:
    """What switching off each of `channels` alone costs the class: [n] each, its value less.

    `logits` and `probabilities` are drops; one below zero says that the class gains.
    """

    channels: range
    logits: Tensor
    probabilities: Tensor


class Ablation:
    """One picture [3,S,S], normalised, up to step `step`, from where it runs on with channels off.

    A channel that is off is zero. In a graph, maps that the step does not reach are kept as well.
    `known` gives outputs by name, [C,H,W] or [K], where a pass was made already: the part up to
    the step is not computed again. Raises `KeyError` for an unknown step.
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
            kept = [step, *border(network, step, self._ends)]
            if known is None:
                self._given = run(network, {INPUT: picture[None]}, kept)
            else:
                self._given = {name: known(name)[None].to(picture.device) for name in kept}
            self.output = self._given[step][0]

    @property
    def channels(self) -> int:
        """How many the step has."""
        return len(self.output)

    def off(self, channels: Sequence[int], wanted: Sequence[str]) -> dict[str, Tensor]:
        """What later steps make of it with `channels` zero: [C,H,W] or [K] by name.

        Raises `IndexError` for a channel that is not there, `KeyError` for a step.
        """
        scale = torch.ones(self.channels)
        scale[list(channels)] = 0
        return {name: one[0] for name, one in self._on(scale[None], wanted).items()}

    def only(self, channels: Sequence[int], wanted: Sequence[str]) -> dict[str, Tensor]:
        """The same with all others zero."""
        scale = torch.zeros(self.channels)
        scale[list(channels)] = 1
        return {name: one[0] for name, one in self._on(scale[None], wanted).items()}

    def costs(self, index: int, batch: int = 16, start: int = 0) -> Iterator[Costs]:
        """Yield for `batch` channels at a time what each is worth to class `index`.

        The first is `start`. Raises `ValueError` for a network without a classifier.
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
        """Run on with the step's channels times `scale` [N,C], zeros and ones."""
        with torch.inference_mode():
            shape = (*scale.shape, *[1] * (self.output.ndim - 1))
            changed = self.output * scale.to(self.output).view(shape)
            given = {
                name: one.expand(len(scale), *one.shape[1:]) for name, one in self._given.items()
            }
            return run(self._network, {**given, self._step: changed}, wanted)


def ranked(costs: Sequence[Costs], by: str = "logits") -> list[int]:
    """All channels, the one whose loss costs most first; `by` is `logits` or `probabilities`."""
    drops = torch.cat([getattr(one, by) for one in costs])
    order: list[int] = drops.argsort(descending=True, stable=True).tolist()
    return order
