"""Loads a data set into memory: pixels as uint8, classes as indices."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from app.errors import DataUnusable, PictureError
from app.pictures.decode import decode
from app.pictures.preprocess import Preprocess, fit
from app.training import folders
from app.training.folders import FileEntry, FileSource

SPLITS = ("train", "val")
_AT_ONCE = 1000  # pictures between two reports of progress

Report = Callable[[str, int, int], None]
"""Called with the split that is read, the number of pictures read, and the total."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Pictures as inputs of a network.

    `pixels` is uint8 [N,3,S,S], `labels` int64 [N] with indices into `classes`, the names of the
    folders; `sha256` is over class, name and bytes of every picture, in a folder or zip alike.
    """

    pixels: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    sha256: str

    def __len__(self) -> int:
        return len(self.labels)

    def sample(self, count: int) -> DataSet:
        """Up to `count` pictures, evenly spaced."""
        places = torch.linspace(0, len(self) - 1, min(count, len(self))).long()
        return DataSet(self.pixels[places], self.labels[places], self.classes, self.sha256)

    def to(self, device: torch.device) -> DataSet:
        """The same data on another device."""
        return DataSet(self.pixels.to(device), self.labels.to(device), self.classes, self.sha256)


def load_splits(
    path: Path, prep: Preprocess, classes: Sequence[str], report: Report
) -> tuple[DataSet, DataSet]:
    """Load the training and validation pictures of a folder or zip.

    `classes` are the names to use, in order; [] uses every folder, sorted. Raises `DataUnusable`.
    """
    source = folders.open_source(path)
    found = {split: folders.find(source, split) for split in SPLITS}
    for split, entries in found.items():
        if not entries:
            raise DataUnusable(
                f"{path} has no pictures at {split}/<class>/: is it unpacked to the end?"
            )
    names = list(classes) or sorted({entry.label for entry in found["train"]})
    train, val = (
        load(source, folders.select_classes(entries, names, split), names, prep, report, split)
        for split, entries in found.items()
    )
    return train, val


def load_in_parts(
    path: Path, prep: Preprocess, classes: Sequence[str], report: Report
) -> Iterator[DataSet]:
    """Yield the evaluation pictures in parts: those of `val/`, else of a plain ImageFolder.

    Only folders named in `classes` are used. Raises `DataUnusable` if there is none.
    """
    source = folders.open_source(path)
    entries = folders.find(source, "val") or folders.find_all(source)
    present = {entry.label for entry in entries}
    names = [name for name in classes if name in present]
    if not names:
        raise DataUnusable(
            f"{path} has no folder named like a class of this network, such as {classes[0]}/."
        )
    used = [entry for entry in entries if entry.label in set(names)]
    for start in range(0, len(used), _AT_ONCE):
        report("", start, len(used))
        yield load(source, used[start : start + _AT_ONCE], names, prep, _silent, "")


def _silent(what: str, done: int, of: int) -> None:
    """A `Report` that does nothing: the caller reports."""


def load(
    source: FileSource,
    entries: Sequence[FileEntry],
    classes: Sequence[str],
    prep: Preprocess,
    report: Report,
    what: str,
) -> DataSet:
    """Decode and preprocess pictures as the page does. Raises `DataUnusable` for a bad picture."""
    index = {name: i for i, name in enumerate(classes)}
    side = prep.crop
    pixels = torch.empty(len(entries), 3, side, side, dtype=torch.uint8)
    total = hashlib.sha256()

    def one(place: int) -> str:
        data = source.read(entries[place].file)
        try:
            pixels[place] = fit(decode(data).image, prep).pixels
        except PictureError as error:
            raise DataUnusable(f"{entries[place].file}: {error.detail}") from error
        return hashlib.sha256(data).hexdigest()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for place, content in enumerate(pool.map(one, range(len(entries)), chunksize=1)):
            entry = entries[place]
            total.update(f"{entry.label}/{PurePosixPath(entry.file).name} {content}\n".encode())
            if place % _AT_ONCE == 0 or place + 1 == len(entries):
                report(what, place + 1, len(entries))
    labels = torch.tensor([index[entry.label] for entry in entries])
    return DataSet(pixels, labels, tuple(classes), total.hexdigest())
