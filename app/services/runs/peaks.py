"""Peaks: the highest activation of each channel in a picture, and the pictures with the highest.

Only one value and one cell per channel are stored for each picture, so that the strongest pictures
can be found among any number of them, even after one of them is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from app.services.runs.run import Run
from app.vision.crops import first_peak, peaks_of

KEEP = 9
"""Number of crops shown for a channel."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """The peaks of one picture: `values` and `cells` (y W + x) by convolution, [C] each."""

    values: dict[str, Tensor]
    cells: dict[str, Tensor]

    @property
    def bytes(self) -> int:
        """Memory used."""
        return sum(t.nbytes for part in (self.values, self.cells) for t in part.values())


@dataclass(frozen=True, slots=True)
class PeakEntry:
    """A picture in a channel's list: its number, the channel's peak in it and its cell y W + x."""

    number: int
    value: float
    cell: int


def peak(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The highest value of each map of [C,H,W], and its first cell in reading order, [C] each."""
    channels = torch.arange(len(maps))
    cells = first_peak(maps[None], torch.zeros_like(channels), channels)
    return peaks_of(maps[None])[0].cpu(), cells.to(torch.int32)


def peaks(outputs: Iterable[tuple[str, Tensor]]) -> Peaks:
    """The peaks of a picture, from the outputs of its convolutions, [C,H,W]."""
    found = {name: peak(maps) for name, maps in outputs}
    return Peaks({n: v for n, (v, _) in found.items()}, {n: c for n, (_, c) in found.items()})


def peaks_of_run(run: Run) -> Peaks:
    """The peaks of a finished run, from its stored outputs."""
    return peaks((s.name, run.tensor(s.name)) for s in run.model.outline.steps if s.kind == "conv")


def strongest(
    known: Mapping[int, Peaks], step: str, channel: int, keep: int = KEEP
) -> list[PeakEntry]:
    """The pictures in which a channel has its highest peaks, strongest first.

    Among equal peaks the lower number comes first.
    """
    found = [
        PeakEntry(number, one.values[step][channel].item(), int(one.cells[step][channel]))
        for number, one in known.items()
    ]
    return sorted(found, key=lambda entry: (-entry.value, entry.number))[:keep]
