"""Which channels does an attack exploit: of the original class, of the target, or others?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

TOP = 10
"""Number of channels that stand for a class, and of exploited channels."""


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """One channel: its mean response to the clean and to the attacked picture."""

    channel: int
    clean: float
    attacked: float

    @property
    def change(self) -> float:
        """Attacked minus clean: above zero it is excited, below it is inhibited."""
        return self.attacked - self.clean


@dataclass(frozen=True, slots=True)
class ChannelColumn:
    """One column of channels, grouped by the sign of their change; largest change first."""

    excited: tuple[ChannelChange, ...]
    inhibited: tuple[ChannelChange, ...]
    unmoved: tuple[ChannelChange, ...]

    @property
    def all(self) -> tuple[ChannelChange, ...]:
        return (*self.excited, *self.inhibited, *self.unmoved)


@dataclass(frozen=True, slots=True)
class ChannelColumns:
    """Four disjoint columns of a layer's channels; the first three need class means."""

    original: ChannelColumn
    both: ChannelColumn
    target: ChannelColumn
    exploited: ChannelColumn

    @property
    def all(self) -> tuple[ChannelColumn, ...]:
        return self.original, self.both, self.target, self.exploited


def columns(
    clean: Tensor,
    attacked: Tensor,
    means: Tensor | None,
    original: int,
    target: int,
    count: int = TOP,
) -> ChannelColumns:
    """The four columns of Bluff (Das et al. 2020, arXiv 2009.02608) for one layer.

    `clean` and `attacked` are maps [C,H,W]; a response is a map's mean. `means` are mean responses
    by class, [K,C], None where they are unknown: then the first three columns are empty. With
    `top(k)` the `count` channels whose class mean is farthest above the mean over all classes,

        contrast_kc = means_kc - mean_j means_jc,

    the columns are top(original) without top(target), both, top(target) without top(original), and
    of all others the `count` whose response changed most. The grouping is Bluff's; the contrast is
    ours and excludes channels that respond to every class.
    """
    before, after = (maps.double().mean((1, 2)) for maps in (clean, attacked))
    one, other = (strongest(means, label, count) for label in (original, target))
    rest = [i for i in most_changed(before, after) if i not in one | other][:count]

    def column(channels: Iterable[int]) -> ChannelColumn:
        return _ranked([ChannelChange(i, float(before[i]), float(after[i])) for i in channels])

    return ChannelColumns(
        column(one - other), column(one & other), column(other - one), column(rest)
    )


def strongest(means: Tensor | None, label: int, count: int) -> set[int]:
    """The up to `count` channels with the largest contrast above zero; none without means."""
    if means is None:
        return set()
    contrast = (means - means.mean(0))[label]
    order = contrast.argsort(descending=True, stable=True)[:count]
    return {i for i in order.tolist() if contrast[i] > 0}


def most_changed(before: Tensor, after: Tensor) -> list[int]:
    """Channels whose response changed, up or down, largest change first."""
    size = (after - before).abs()
    order: list[int] = size.argsort(descending=True, stable=True).tolist()
    return order[: int(torch.count_nonzero(size))]


def _ranked(channels: list[ChannelChange]) -> ChannelColumn:
    order = sorted(channels, key=lambda one: (-abs(one.change), one.channel))
    return ChannelColumn(
        tuple(one for one in order if one.change > 0),
        tuple(one for one in order if one.change < 0),
        tuple(one for one in order if one.change == 0),
    )
