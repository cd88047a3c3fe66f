"""The pass over a folder of pictures that makes an atlas: batched, resumable, memory flat."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from app.errors import DataUnusable, PictureError
from app.pictures.preprocess import Preprocess, normalise
from app.services.atlas.atlas import FINE, NAMED, Atlas, AtlasAbout, read_atlas, won, write_atlas
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
    """`done` of `total` pictures, in this shard, so many of them unreadable; or crops `cut`."""

    done: int
    total: int
    unreadable: int
    cutting: bool = False


@dataclass(frozen=True, slots=True)
class AtlasOptions:
    """`batch` pictures go together; the state is written each `save_every`; shard is (i, n)."""

    batch: int = 32
    save_every: int = 2000
    shard: tuple[int, int] = (0, 1)
    workers: int | None = None


class AtlasPass:
    """One pass over `folder` that ends in the file `out`.

    While it goes on its state stands beside that; the same pass begun again goes on from there.
    Raises `DataUnusable` where the state there is of another pass.
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
        # Where the network needs the cores itself, more readers would only be in its way.
        cores = os.cpu_count() or 1
        spare = max(1, cores // 2) if self._device.type == "cpu" else cores
        self._workers = options.workers or spare
        total, size, (shard, count) = len(folder.names), options.batch, options.shard
        starts = range(0, total, size)[shard::count]
        # Whole batches go to a shard: the same pictures go together as in one pass.
        self._batches = [range(start, min(start + size, total)) for start in starts]
        self._classes = {name: i for i, name in enumerate(folder.classes)}
        self.atlas = self._begin()
        self._network = channels_last(network, self.atlas.about.steps[-1])
        self.resumed = self.atlas.about.read + self.atlas.about.unreadable

    @property
    def total(self) -> int:
        """Pictures of this shard."""
        return sum(len(batch) for batch in self._batches)

    def run(self) -> Iterator[AtlasProgress]:
        """Yield after each batch, then while the crops are cut; at the end `out` is there.

        Raises `NotWritten` where the disk is full; the last state that was written stays.
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
        """The atlas after a batch."""
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
        wanted: dict[int, list[tuple[str, int, int]]] = {}
        cells = won(self.atlas)
        for key in cells:
            wanted.setdefault(key[2], []).append(key)
        names = {str(number): self._folder.names[number] for number in sorted(wanted)}
        crops: dict[tuple[str, int, int], bytes] = {}
        for done, number in enumerate(sorted(wanted), 1):
            pixels = _again(self._folder, number, self._prep)
            for key in wanted[number]:
                crops[key] = encoded(pixels, self._model.geometry[key[0]], cells[key])
            yield AtlasProgress(done, len(wanted), self.atlas.about.unreadable, cutting=True)
        about = replace(self.atlas.about, names=names)
        self.atlas = replace(self.atlas, about=about, crops=crops)


def _again(folder: PictureFolder, number: int, prep: Preprocess) -> Tensor:
    try:
        return folder.read(number, prep)
    except (PictureError, OSError) as error:
        raise DataUnusable(
            f"{folder.names[number]} was read in the pass and cannot be read now ({error})."
        ) from error
