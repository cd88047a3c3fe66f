"""Compares the feature maps of two runs: which channels to pair, and their distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import torch
from torch import Tensor

from app.services.runs.arithmetic import checked_channel
from app.services.runs.run import Run, StepRecord
from app.vision.differences import largest_difference, relative_distance
from app.vision.kernel_preferences import strength
from app.vision.unit_origin import origin

Pairing = Literal["channels", "one", "rank"]
"""Same channel numbers; one channel with the others of its step; by rank of strength."""

Part = Literal["here", "there", "difference"]
PARTS: tuple[Part, ...] = get_args(Part)

By = Literal["relative", "peak", "alike"]
BYS: tuple[By, ...] = get_args(By)


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """One side of a comparison: a computed step of a run."""

    run: Run
    record: StepRecord

    @property
    def maps(self) -> Tensor:
        """All channels, [C,H,W]; a single number becomes a map of one cell."""
        values = self.run.tensor(self.record.step.name)
        return values if values.ndim == 3 else values.view(-1, 1, 1)

    def some(self, channels: Sequence[int]) -> Tensor:
        """Some channels, [N,H,W]; of a ReLU only these are computed."""
        values = self.run.maps(self.record.step.name, channels)
        return values if values.ndim == 3 else values.view(-1, 1, 1)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns of a feature map."""
        return self.run.model.geometry[self.record.step.name].shape[1:] or (1, 1)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.run.model.geometry[self.record.step.name].shape[0]


@dataclass(frozen=True, slots=True)
class ChannelPair:
    """A pair of channels; `relative` and `largest` are None if their maps differ in size."""

    here: int
    there: int
    peak_here: float
    peak_there: float
    norm_here: float
    norm_there: float
    relative: float | None
    largest: float | None

    @property
    def peak(self) -> float:
        """The difference of the peaks, there minus here."""
        return self.peak_there - self.peak_here


class MapComparison:
    """All channel pairs of two sides; `channel` is the one compared if the pairing is `one`."""

    def __init__(self, here: ComparedSide, there: ComparedSide, channel: int | None = None) -> None:
        self.here, self.there = here, there
        self.pairing = pairing_of(here, there)
        if self.pairing == "one" and channel is None:
            channel = here.record.statistics.strongest(1)[0]
        self.channel = None if channel is None else checked_channel(here.record, channel)

    @property
    def same_size(self) -> bool:
        """True if the feature maps of both sides have the same size."""
        return self.here.shape == self.there.shape

    @cached_property
    def pairs(self) -> tuple[list[int], list[int]]:
        """The paired channels, here and there."""
        if self.pairing == "one":
            others = [c for c in range(self.there.channels) if c != self.channel]
            return [self.channel or 0] * len(others), others
        if self.pairing == "channels":
            return (list(range(self.here.channels)),) * 2
        orders = [half.record.statistics.strongest() for half in (self.here, self.there)]
        count = min(map(len, orders))
        return orders[0][:count], orders[1][:count]

    @cached_property
    def figures(self) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """For each pair the peaks [N,2], the relative and the absolute distance, [N] each."""
        one, other = self.pairs
        stats = self.here.record.statistics.peaks, self.there.record.statistics.peaks
        peaks = torch.stack([stats[0][one], stats[1][other]], 1)
        if not self.same_size:
            return peaks, None, None
        a = self.here.maps[one[:1]] if self.pairing == "one" else self.here.maps[one]
        b = self.there.maps[other]
        return peaks, relative_distance(a, b), (b - a).flatten(1).norm(dim=1)

    @property
    def spatial(self) -> bool:
        """True if both sides have feature maps."""
        return all(half.run.spatial(half.record.step.name) for half in (self.here, self.there))

    def orders(self) -> tuple[By, ...]:
        """What the pairs can be ranked by; single numbers only by their value."""
        if self.pairing == "rank":
            return ()
        return BYS if self.same_size and self.spatial else ("peak",)

    def order(self, by: By, count: int | None = None) -> list[int]:
        """Indices of the pairs, most different first (`alike`: most similar); unsorted by rank.

        Pairs with equal distance, to three digits, are sorted by absolute difference, larger first;
        among similar pairs, maps that are zero on both sides come last.
        """
        peaks, relative, distance = self.figures
        if self.pairing == "rank":
            return list(range(len(peaks)))[:count]
        if by == "peak" or self.orders() == ("peak",) or relative is None or distance is None:
            key = (peaks[:, 1] - peaks[:, 0]).abs()
            return _places(key.argsort(descending=True, stable=True), count)
        first = distance.argsort(descending=True, stable=True)
        rounded = relative[first].round(decimals=3)
        if by == "relative":
            return _places(first[rounded.argsort(descending=True, stable=True)], count)
        silent = self._norms()[first] == 0
        return _places(first[rounded.masked_fill(silent, 9).argsort(stable=True)], count)

    def _norms(self) -> Tensor:
        """Sum of the norms of both maps of each pair, [N]."""
        one, other = (strength(half.maps) for half in (self.here, self.there))
        return one[self.pairs[0]] + other[self.pairs[1]]

    def row(self, place: int) -> ChannelPair:
        """The pair at an index of `pairs`."""
        return self.between(self.pairs[0][place], self.pairs[1][place])

    def between(self, one: int, other: int) -> ChannelPair:
        """Compare any two channels. Raises `UnknownStep`."""
        checked_channel(self.here.record, one)
        checked_channel(self.there.record, other)
        a, b = self.here.some([one]), self.there.some([other])
        same = self.same_size
        return ChannelPair(
            one,
            other,
            a.max().item(),
            b.max().item(),
            a.norm().item(),
            b.norm().item(),
            relative_distance(a, b).item() if same else None,
            largest_difference(a, b).item() if same else None,
        )

    def chosen(self, by: By, other: int | None) -> ChannelPair:
        """The selected pair: by default the first in order, or the channel with its partner."""
        ones, others = self.pairs
        if self.channel is None or (self.pairing == "one" and other is None):
            first = self.row(self.order(by, 1)[0]) if ones else self.between(0, 0)
            return first if other is None else self.between(first.here, other)
        if other is None and self.channel in ones:
            other = others[ones.index(self.channel)]
        return self.between(self.channel, others[0] if other is None else other)

    def limit(self, row: ChannelPair) -> float:
        """The limit of a pair's colour scale: the largest magnitude, difference included."""
        a, b = self.here.some([row.here]), self.there.some([row.there])
        return max(a.abs().max().item(), b.abs().max().item(), row.largest or 0.0)

    def drawn(self, rows: list[ChannelPair], part: Part) -> Tensor:
        """The maps of one part of some pairs, [N,H,W]. Raises `ValueError` if sizes differ."""
        if part == "here":
            return self.here.some([row.here for row in rows])
        there = self.there.some([row.there for row in rows])
        if part == "there":
            return there
        if not self.same_size:
            raise ValueError("maps of two sizes have no difference")
        return there - self.here.some([row.here for row in rows])


def pairing_of(here: ComparedSide, there: ComparedSide) -> Pairing:
    """How to pair the channels.

    Channel numbers correspond in networks of the same architecture, at the same step or at steps
    that keep channels separate (a ReLU, a pooling); otherwise channels are paired by rank.
    """
    if here.run.key == there.run.key and here.record.step.name == there.record.step.name:
        return "one"
    if here.run.model.row.architecture != there.run.model.row.architecture:
        return "rank"
    if here.channels != there.channels:
        return "rank"
    return "channels" if _root(here) == _root(there) else "rank"


def _places(order: Tensor, count: int | None) -> list[int]:
    found: list[int] = order[:count].tolist()
    return found


def _root(half: ComparedSide) -> str:
    geometry = half.run.model.geometry
    channels = {name: where.shape[0] for name, where in geometry.items()}
    return origin(half.run.model.outline, channels, half.record.step.name, None)[0]
