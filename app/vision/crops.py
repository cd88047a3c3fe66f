"""Top activating crops: which parts of many pictures activate a channel most?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.geometry import Geometry

NO_PICTURE = -1


@dataclass(frozen=True, slots=True)
class Winners:
    """The `keep` pictures that activate each channel of a step most, strongest first.

    `values` [C,keep] are the pre-ReLU peaks, minus infinity where there are too few pictures;
    `pictures` are their numbers and `cells` the positions y W + x of the peaks, both int64, -1
    where there are too few. A picture is in a channel's list once. Of equal values the picture with
    the lower number wins, then the first cell in reading order: results do not depend on batching.
    """

    values: Tensor
    pictures: Tensor
    cells: Tensor

    @classmethod
    def none(cls, channels: int, keep: int = 9) -> Winners:
        """The empty lists, before the first picture."""
        values = torch.full((channels, keep), -torch.inf)
        nobody = torch.full((channels, keep), NO_PICTURE)
        return cls(values, nobody, nobody.clone())

    def with_batch(self, output: Tensor, peaks: Tensor, numbers: Tensor) -> Winners:
        """Merge in a batch: `output` [N,C,H,W], its `peaks` [N,C], pictures' `numbers` [N].

        The position of a peak is only computed for maps that enter the list.
        """
        peaks = peaks.cpu().T
        # Later on few channels change: the others are skipped.
        rows = (peaks.amax(1) >= self.values[:, -1]).nonzero().flatten()
        if not len(rows):
            return self
        old, peaks = self._rows(rows), peaks[rows]
        # No more pictures of the batch can enter than the list has entries.
        keep = min(old.values.shape[1], peaks.shape[1])
        bar = peaks.topk(keep).values[:, -1:].maximum(old.values[:, -1:])
        better = peaks >= bar
        channels, places = better.nonzero(as_tuple=True)
        found = torch.full(better.shape, NO_PICTURE)
        found[channels, places] = first_peak(output, places, rows[channels])
        values = peaks.masked_fill(~better, -torch.inf)
        named = numbers.expand(len(peaks), -1).masked_fill(~better, NO_PICTURE)
        fresh = old.merged(Winners(values, named, found))
        copies = self.values.clone(), self.pictures.clone(), self.cells.clone()
        for copy, new in zip(copies, (fresh.values, fresh.pictures, fresh.cells), strict=True):
            copy[rows] = new
        return Winners(*copies)

    def _rows(self, rows: Tensor) -> Winners:
        return Winners(self.values[rows], self.pictures[rows], self.cells[rows])

    def merged(self, other: Winners) -> Winners:
        """Merge two lists over different pictures and keep the strongest."""
        values = torch.cat([self.values, other.values], 1)
        pictures = torch.cat([self.pictures, other.pictures], 1)
        cells = torch.cat([self.cells, other.cells], 1)
        order = pictures.argsort(stable=True, dim=1)
        order = order.gather(
            1, values.gather(1, order).argsort(stable=True, dim=1, descending=True)
        )
        order = order[:, : self.values.shape[1]]
        return Winners(values.gather(1, order), pictures.gather(1, order), cells.gather(1, order))


def peaks_of(output: Tensor) -> Tensor:
    """The highest value of every map, [N,C,H,W] -> [N,C].

    Without its position: torch's maximum with indices takes ten times as long.
    """
    return output.flatten(2).amax(2)


def first_peak(output: Tensor, places: Tensor, channels: Tensor) -> Tensor:
    """The first cell in reading order with the highest value, for some maps of a batch."""
    maps = output[places.to(output.device), channels.to(output.device)].flatten(1)
    peak = maps.amax(1, keepdim=True)
    # argmax does not guarantee which of several equal values it returns.
    order = torch.arange(maps.shape[1], device=maps.device)
    return torch.where(maps == peak, order, len(order)).amin(1).cpu()


@dataclass(frozen=True, slots=True)
class Crop:
    """A receptive field cut from a picture: `pixels` uint8 [3,R,R], `inside` [R,R] false where
    padding lies, beyond the picture's edge.
    """

    pixels: Tensor
    inside: Tensor


def cut(pixels: Tensor, geometry: Geometry, cell: int) -> Crop:
    """Cut out the receptive field of cell y W + x from the input uint8 [3,S,S]; grey outside it."""
    here, there = _seen(geometry, cell)
    size = geometry.rows.size, geometry.columns.size
    found = torch.full((3, *size), 128, dtype=torch.uint8)
    inside = torch.zeros(size, dtype=torch.bool)
    found[:, *here] = pixels[:, *there].cpu()
    inside[here] = True
    return Crop(found, inside)


def cut_signed(values: Tensor, geometry: Geometry, cell: int) -> Tensor:
    """Cut the same part out of a signed map over the input, [3,S,S]; zero beyond the edge."""
    here, there = _seen(geometry, cell)
    found = values.new_zeros((3, geometry.rows.size, geometry.columns.size))
    found[:, *here] = values[:, *there]
    return found


def _seen(geometry: Geometry, cell: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Rows and columns of the part inside the picture: in the crop, and in the picture."""
    y, x = divmod(cell, geometry.shape[2])
    box, rows, columns = geometry.box(y, x), geometry.rows, geometry.columns
    top, left = rows.start + rows.jump * y, columns.start + columns.jump * x
    return (
        (slice(box.top - top, box.bottom - top), slice(box.left - left, box.right - left)),
        (slice(box.top, box.bottom), slice(box.left, box.right)),
    )
