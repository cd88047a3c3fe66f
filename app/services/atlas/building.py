"""Makes an atlas from a folder of pictures: batched, resumable, with constant memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from app.errors import DataUnusable, PictureError
from app.pictures.preprocess import Preprocess, normalise
from app.services.atlas.atlas import (
    FINE,
    NAMED,
    Atlas,
    AtlasAbout,
    read_atlas,
    winning_cells,
    write_atlas,
)
from app.services.atlas.crops import encoded
from app.services.atlas.folder import PictureBatch, PictureFolder, class_of, read_ahead
from app.services.networks.catalogue import Model
from app.services.networks.loading import weights_digest
from app.services.runs.run import preprocess
from app.vision.crops import peaks_of
from app.vision.forward import forward_steps
from app.vision.memory_layout import channels_last
from models.graph import Network


@dataclass(frozen=True, slots=True)
class AtlasProgress:
    """`done` of `total` pictures of this shard, with the `unreadable`; or of crops if `cutting`."""

    done: int
    total: int
    unreadable: int
    cutting: bool = False


@dataclass(frozen=True, slots=True)
class AtlasOptions:
    """Options of a pass: `batch` size; state saved every `save_every` pictures; shard (i, n)."""

    batch: int = 32
    save_every: int = 2000
    shard: tuple[int, int] = (0, 1)
    workers: int | None = None


class AtlasPass:
    """One pass over `folder` that writes the atlas to the file `out`.

    Its state is saved next to that file; the same pass started again resumes from it. Raises
    `DataUnusable` if the saved state belongs to another pass.
    """

    def __init__(
        self,
        model: Model,
        network: Network,
        folder: PictureFolder,
        out: Path,
        options: AtlasOptions,
    ) -> None:
        self.out = out
        self.state = out.with_name(f"{out.name}.state")
        self._model, self._folder = model, folder
        self._options = options
        self._prep = preprocess(model)
        self._device = next(network.parameters()).device
        # On the CPU the network needs cores too: more readers would only slow it down.
        cores = os.cpu_count() or 1
        spare = max(1, cores // 2) if self._device.type == "cpu" else cores
        self._workers = options.workers or spare
        total, size, (shard, count) = len(folder.names), options.batch, options.shard
        starts = range(0, total, size)[shard::count]
        # A shard gets whole batches: the same pictures are in one batch as without shards.
        self._batches = [range(start, min(start + size, total)) for start in starts]
        self._classes = {name: i for i, name in enumerate(folder.classes)}
        self.atlas = self._begin()
        self._network = channels_last(network, self.atlas.about.steps[-1])
        self.resumed = self.atlas.about.read + self.atlas.about.unreadable

    @property
    def total(self) -> int:
        """Number of pictures of this shard."""
        return sum(len(batch) for batch in self._batches)

    def run(self) -> Iterator[AtlasProgress]:
        """Yield progress after each batch, then while the crops are cut; finally write `out`.

        Raises `NotWritten` if the disk is full; the last saved state remains.
        """
        todo = self._batches[self.atlas.about.batches :]
        unsaved = 0
        for batch in read_ahead(self._folder, todo, self._prep, self._workers):
            self.atlas = self._with(batch)
            unsaved += len(batch.numbers) + len(batch.unreadable)
            if unsaved >= self._options.save_every:
                write_atlas(self.state, self.atlas)
                unsaved = 0
            about = self.atlas.about
            yield AtlasProgress(about.read + about.unreadable, self.total, about.unreadable)
        write_atlas(self.state, self.atlas)
        yield from self._cut()
        write_atlas(self.out, self.atlas)
        self.state.unlink(missing_ok=True)

    def _begin(self) -> Atlas:
        steps = {s.name: s.channels or 0 for s in self._model.outline.steps if s.kind == "conv"}
        about = AtlasAbout(
            model=self._model.id,
            weights=weights_digest(self._model.entry),
            folder=self._folder.digest,
            total=len(self._folder.names),
            batch=self._options.batch,
            steps=tuple(steps),
            classes=self._folder.classes,
            shard=self._options.shard,
            root=str(self._folder.path.resolve()),
        )
        if not self.state.exists():
            return Atlas.empty(about, steps)
        atlas = read_atlas(self.state)
        if not atlas.about.fits(about) or atlas.about.shard != about.shard:
            raise DataUnusable(
                f"{self.state} is of another pass: other weights, pictures or options. Give the "
                "same ones to go on, choose another --out, or --fresh to start again."
            )
        return atlas

    def _with(self, batch: PictureBatch) -> Atlas:
        """The atlas with the results of a batch added."""
        about, winners, counts = self.atlas.about, dict(self.atlas.winners), self.atlas.counts
        if len(batch.numbers):
            classes = self._labels(batch.numbers)
            x = normalise(batch.pixels.to(self._device), self._prep)
            for output in forward_steps(self._network, x, until=about.steps[-1]):
                if (name := output.step.name) in winners:
                    peaks = peaks_of(output.tensor)
                    winners[name] = winners[name].with_batch(output.tensor, peaks, batch.numbers)
                    self._add(name, peaks, classes)
            if self._classes:
                counts = counts.index_add(0, classes, torch.ones_like(classes))
        names = tuple(self._folder.names[n] for n in batch.unreadable)
        about = replace(
            about,
            batches=about.batches + 1,
            read=about.read + len(batch.numbers),
            unreadable=about.unreadable + len(names),
            skipped=(*about.skipped, *names)[:NAMED],
        )
        return replace(self.atlas, about=about, winners=winners, counts=counts)

    def _labels(self, numbers: Tensor) -> Tensor:
        if not self._classes:
            return numbers
        names = (class_of(self._folder.names[n]) for n in numbers.tolist())
        return torch.tensor([self._classes.get(name, 0) for name in names])

    def _add(self, step: str, peaks: Tensor, classes: Tensor) -> None:
        if self._classes:
            whole = (peaks.double() * FINE).round().to(torch.int64).cpu()
            self.atlas.sums[step].index_add_(0, classes, whole)

    def _cut(self) -> Iterator[AtlasProgress]:
        """Cut every winner's crop, picture by picture."""
        keys: dict[int, list[tuple[str, int, int]]] = {}
        cells = winning_cells(self.atlas)
        for key in cells:
            keys.setdefault(key[2], []).append(key)
        names = {str(number): self._folder.names[number] for number in sorted(keys)}
        crops: dict[tuple[str, int, int], bytes] = {}
        for done, number in enumerate(sorted(keys), 1):
            pixels = _read_again(self._folder, number, self._prep)
            for key in keys[number]:
                crops[key] = encoded(pixels, self._model.geometry[key[0]], cells[key])
            yield AtlasProgress(done, len(keys), self.atlas.about.unreadable, cutting=True)
        about = replace(self.atlas.about, names=names)
        self.atlas = replace(self.atlas, about=about, crops=crops)


def _read_again(folder: PictureFolder, number: int, prep: Preprocess) -> Tensor:
    try:
        return folder.read(number, prep)
    except (PictureError, OSError) as error:
        raise DataUnusable(
            f"{folder.names[number]} was read in the pass and cannot be read now ({error})."
        ) from error
