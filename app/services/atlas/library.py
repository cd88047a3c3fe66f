"""The atlases in the data folder: finds those that fit a network's weights and reads from them.

A crop is read from the file on request: an atlas of a large network has 100 MB of them.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from app.errors import DataUnusable, NotFound, printable
from app.services.atlas.atlas import FINE, AtlasAbout, about_of
from app.services.atlas.folder import SUFFIXES
from app.services.files import listing, regular
from app.services.networks.catalogue import Model
from app.services.runs.peaks import PeakEntry

SUFFIX = ".atlas"
DAMAGED = (OSError, SafetensorError, KeyError, ValueError, TypeError, IndexError)


@dataclass(frozen=True, slots=True)
class CropBytes:
    """Position of an encoded crop's bytes in the file."""

    start: int
    size: int


class AtlasFile:
    """One atlas of a folder of pictures; `id` names it in a URL, `title` on a page.

    Raises `DataUnusable` if the file is no atlas, or damaged.
    """

    def __init__(self, path: Path, about: AtlasAbout) -> None:
        self.path, self.about = path, about
        name = os.fsencode(f"{path.parent.name}/{path.name}")
        self.id = hashlib.sha256(name).hexdigest()[:12]
        self.title = printable(Path(about.root).name or path.parent.name)
        self._places: dict[tuple[str, int, int], CropBytes] | None = None

    def ranking(self, step: str, channel: int) -> list[PeakEntry]:
        """The pictures that activate a channel most, the strongest first."""
        with _reading(self.path) as file:
            rows = [file.get_slice(f"{step}/{part}")[channel].tolist() for part in _PARTS]
        return [
            PeakEntry(int(number), float(value), int(cell))
            for value, number, cell in zip(*rows, strict=True)
            if number >= 0
        ]

    def crop(self, step: str, channel: int, number: int) -> bytes:
        """Return a crop as WebP. Raises `NotFound`."""
        place = self._crops().get((step, channel, number))
        if place is None:
            raise NotFound("This picture is not among the strongest of this map.")
        with _reading(self.path) as file:
            part = file.get_slice("crops")[place.start : place.start + place.size]
        return bytes(part.numpy().tobytes())

    def preferred(self, step: str, channel: int, count: int = 5) -> list[tuple[str, float]]:
        """The classes with the highest mean peak, with that mean; [] without classes."""
        if not self.about.classes:
            return []
        means = self.means(step)[:, channel].tolist()
        order = sorted(range(len(means)), key=lambda i: -means[i])[:count]
        return [(self.about.classes[i], means[i]) for i in order if means[i] > -math.inf]

    def means(self, step: str) -> Tensor:
        """The mean peak of each class, [classes,C]; minus infinity for a class without pictures."""
        with _reading(self.path) as file:
            sums = file.get_tensor(f"{step}/sums").double()
            counts = file.get_tensor("counts")[:, None]
        means: Tensor = sums / FINE / counts.clamp_min(1)
        return means.masked_fill(counts == 0, -math.inf)

    def name(self, number: int) -> str:
        """The file name of a picture that has a crop. Raises `NotFound`."""
        if (name := self.about.names.get(str(number))) is None:
            raise NotFound("This atlas has no picture of that number.")
        return name

    def picture(self, number: int) -> Path | None:
        """The path of a picture; None if it is missing or its name leads out of the folder."""
        name = self.name(number)
        if not self.about.root:
            return None
        root = Path(self.about.root).resolve()
        path = (root / name).resolve()
        inside = path.is_relative_to(root) and path.suffix.lower() in SUFFIXES
        return path if inside and path.is_file() else None

    def _crops(self) -> dict[tuple[str, int, int], CropBytes]:
        if self._places is None:
            with _reading(self.path) as file:
                places = file.get_tensor("crop_places").tolist()
                sizes = file.get_tensor("crop_sizes").tolist()
            found: dict[tuple[str, int, int], CropBytes] = {}
            start = 0
            for (step, channel, number), size in zip(places, sizes, strict=True):
                found[self.about.steps[step], channel, number] = CropBytes(start, size)
                start += size
            # Set at once: several threads may read crops at the same time.
            self._places = found
        return self._places


_PARTS = ("values", "pictures", "cells")


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    """Open a file; reading errors become `DataUnusable`."""
    try:
        with safe_open(path, "pt") as file:
            yield file
    except DAMAGED as error:
        raise DataUnusable(f"{path.name} cannot be read ({error}).") from error


@dataclass(frozen=True, slots=True)
class FoundAtlases:
    """The atlases that fit a network's weights, and a sentence for each refused file."""

    atlases: tuple[AtlasFile, ...]
    refused: tuple[str, ...]


class AtlasLibrary:
    """The atlases in a folder and its subfolders. Every method blocks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, model: Model, weights: str) -> FoundAtlases:
        """The atlases of a network whose weights file has that SHA-256."""
        atlases, refused = [], []
        for path in self._paths():
            try:
                state = regular(path)
                one = _opened(path, state.st_size, state.st_mtime_ns)
            except (DataUnusable, OSError) as error:
                refused.append(_sentence(path, getattr(error, "detail", "It cannot be read.")))
                continue
            if one.about.model == model.id:
                reason = _reason(one, model, weights)
                atlases += [] if reason else [one]
                refused += [_sentence(path, reason)] if reason else []
        return FoundAtlases(tuple(atlases), tuple(refused))

    def get(self, model: Model, weights: str, id: str) -> AtlasFile:
        """Return the atlas of that id. Raises `NotFound`."""
        for one in self.of(model, weights).atlases:
            if one.id == id:
                return one
        raise NotFound("There is no such collection of crops for this network.")

    def _paths(self) -> Iterator[Path]:
        yield from listing(self.folder, f"*{SUFFIX}")
        yield from listing(self.folder, f"*/*{SUFFIX}")


@lru_cache(32)
def _opened(path: Path, size: int, changed: int) -> AtlasFile:
    """Read the metadata of a file; cached until the file changes."""
    try:
        with safe_open(path, "pt") as file:
            about = about_of(json.loads((file.metadata() or {})["atlas"]))
    except DAMAGED as error:
        raise DataUnusable("It is not an atlas that can be read.") from error
    return AtlasFile(path, about)


def _reason(atlas: AtlasFile, model: Model, weights: str) -> str:
    """Why an atlas of this network cannot be used; "" if it can."""
    about = atlas.about
    if about.weights != weights:
        return "It was made from other weights of this network: make it again for these."
    if about.shard != (0, 1):
        part, parts = about.shard[0] + 1, about.shard[1]
        return f"It is part {part} of {parts}: `python -m app atlas merge` makes one of all parts."
    if not set(about.steps) <= set(model.geometry):
        return "It names steps that this network does not have."
    return ""


def _sentence(path: Path, reason: str) -> str:
    return printable(f"{path.parent.name}/{path.name}: {reason}")
