"""Calibrates a network on any folder of held-out photos, in one pass, with or without classes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from app.errors import DataUnusable, PictureError
from app.pictures.decode import decode
from app.pictures.preprocess import Preprocess, fit
from app.training import folders
from app.training.calibrate import REFERENCES, References
from app.training.folders import FileSource
from models.graph import Network

BATCH = 16
LEAST = 40
"""Fewest pictures for useful reference scores."""

Report = Callable[[int, int], None]
"""Called with the number of pictures read and the total."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Reference scores in ascending order, [N] each, and profiles [2,C] by step.

    Profiles come from every second picture, scores from the others, so that no picture is compared
    with itself. `means` [classes,C] are mean activations by class over all pictures, {} if a
    class has none. `skipped` counts unreadable pictures; `sha256` is over the bytes of the others.
    """

    scores: dict[str, Tensor]
    profiles: dict[str, Tensor]
    means: dict[str, Tensor]
    used: int
    skipped: int
    sha256: str


def calibrate(
    network: Network, path: Path, prep: Preprocess, report: Report, wnids: Sequence[str] = ()
) -> Calibrated:
    """Compute statistics of up to 2,000 evenly spaced photos of a folder or zip.

    Reads `val/` if there is one, else all pictures; a picture in a folder named by one of the
    `wnids` is of that class. Raises `DataUnusable` if fewer than 40 can be read.
    """
    source = folders.open_source(path)
    names = folders.evenly_spaced(names_in(source), 2 * REFERENCES)
    reader = _PictureReader(source, names, prep, report)
    device = next(network.parameters()).device
    references = References(network, prep)
    for batch in reader.batches():
        references.add(batch.to(device))
    if len(references) < LEAST:
        raise DataUnusable(_too_few(path, len(references), reader.skipped))
    profiles = references.profiles(slice(0, None, 2))
    scores = references.scores(profiles, slice(1, None, 2))
    digest = reader.digest.hexdigest()
    classes = [class_of(name, wnids) for name in reader.read]
    complete = bool(wnids) and len(set(classes) - {-1}) == len(wnids)
    means = references.means(torch.tensor(classes), len(wnids)) if complete else {}
    return Calibrated(scores, profiles, means, len(references), reader.skipped, digest)


def class_of(name: str, wnids: Sequence[str]) -> int:
    """The class of the first folder in the picture's path named by a wnid; -1 if there is none."""
    folders_of_it = PurePosixPath(name).parts[:-1]
    return next((wnids.index(part) for part in folders_of_it if part in wnids), -1)


def names_in(source: FileSource) -> list[str]:
    """The pictures to use, sorted: those of `val/`, else all."""
    held_out = [entry.file for entry in folders.find(source, "val")]
    return sorted(
        held_out
        or (
            name
            for name in source.names()
            if PurePosixPath(name).suffix.lower() in folders.PICTURES
        )
    )


class _PictureReader:
    """Decodes pictures batch by batch; unreadable ones are skipped and counted."""

    def __init__(
        self, source: FileSource, names: Sequence[str], prep: Preprocess, report: Report
    ) -> None:
        self._source = source
        self._names = names
        self._prep = prep
        self._report = report
        self.skipped = 0
        self.read: list[str] = []
        self.digest = hashlib.sha256()

    def batches(self) -> Iterator[Tensor]:
        """Yield batches, uint8 [n,3,S,S]."""
        batch: list[Tensor] = []
        for number, name in enumerate(self._names, start=1):
            if (pixels := self._pixels(name)) is not None:
                batch.append(pixels)
            if len(batch) == BATCH or number == len(self._names) and batch:
                yield torch.stack(batch)
                batch = []
            self._report(number, len(self._names))

    def _pixels(self, name: str) -> Tensor | None:
        try:
            data = self._source.read(name)
            pixels = fit(decode(data).image, self._prep).pixels
        except (PictureError, OSError):
            self.skipped += 1
            return None
        self.read.append(name)
        self.digest.update(hashlib.sha256(data).digest())
        return pixels


def _too_few(path: Path, count: int, skipped: int) -> str:
    found = f"{count} pictures" if count != 1 else "one picture"
    unread = f" ({skipped} could not be read)" if skipped else ""
    return (
        f"{path} has {found} that can be used{unread}; calibrating takes at least {LEAST}, better "
        "a thousand: photos that the network was not trained on, of any classes."
    )
