"""A folder of pictures for an atlas: lists the files and reads them ahead of the network."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from app.errors import DataUnusable, PictureError
from app.pictures.decode import decode
from app.pictures.preprocess import Preprocess, fit

SUFFIXES = {".jpeg", ".jpg", ".png", ".webp", ".gif"}
SPLITS = {"train", "val", "test"}
AHEAD = 2
"""Batches that are read while one is in the network."""


@dataclass(frozen=True, slots=True)
class PictureFolder:
    """The pictures under `path`, sorted by name; a picture's number is its index in `names`."""

    path: Path
    names: tuple[str, ...]

    @classmethod
    def of(cls, path: Path) -> PictureFolder:
        """All pictures in a folder and its subfolders. Raises `DataUnusable` if there is none."""
        if not path.is_dir():
            raise DataUnusable(f"There is no folder {path}.")
        names = sorted(
            (Path(folder) / file).relative_to(path).as_posix()
            for folder, _, files in os.walk(path)
            for file in files
            if os.path.splitext(file)[1].lower() in SUFFIXES
        )
        if not names:
            kinds = ", ".join(sorted(SUFFIXES))
            raise DataUnusable(f"{path} holds no pictures: no file ends in {kinds}.")
        return cls(path, tuple(names))

    @property
    def digest(self) -> str:
        """SHA-256 of all names: it changes when a picture is added or removed."""
        return hashlib.sha256("\n".join(self.names).encode("utf-8", "surrogateescape")).hexdigest()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of an ImageFolder (`[train/]<class>/…/name.jpeg`), sorted.

        () for pictures that are in no folder or all in one.
        """
        found = sorted({label for name in self.names if (label := class_of(name))})
        return tuple(found) if len(found) > 1 else ()

    def read(self, number: int, prep: Preprocess) -> Tensor:
        """A picture as network input, uint8 [3,S,S]. Raises `PictureError`, `OSError`."""
        return fit(decode((self.path / self.names[number]).read_bytes()).image, prep).pixels


def class_of(name: str) -> str:
    """The class in a picture's name; "" if it is in no class folder."""
    parts = name.split("/")[:-1]
    parts = parts[1:] if parts and parts[0] in SPLITS else parts
    return parts[0] if parts else ""


@dataclass(frozen=True, slots=True)
class PictureBatch:
    """`pixels` uint8 [n,3,S,S] of the pictures `numbers` [n], without the `unreadable` ones."""

    pixels: Tensor
    numbers: Tensor
    unreadable: tuple[int, ...]


def read_ahead(
    folder: PictureFolder, batches: Sequence[range], prep: Preprocess, workers: int
) -> Iterator[PictureBatch]:
    """Yield the pictures of each batch of numbers; `workers` threads read the next ones."""
    with ThreadPoolExecutor(workers, "layerscope-read") as pool:
        waiting: deque[tuple[range, list[Future[Tensor | None]]]] = deque()
        left = iter(batches)
        try:
            while True:
                while len(waiting) <= AHEAD and (numbers := next(left, None)) is not None:
                    waiting.append(
                        (numbers, [pool.submit(_read, folder, n, prep) for n in numbers])
                    )
                if not waiting:
                    return
                numbers, futures = waiting.popleft()
                yield _batch(numbers, [future.result() for future in futures], prep.crop)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _read(folder: PictureFolder, number: int, prep: Preprocess) -> Tensor | None:
    try:
        return folder.read(number, prep)
    except (PictureError, OSError):
        return None


def _batch(numbers: range, read: list[Tensor | None], side: int) -> PictureBatch:
    good = [(n, one) for n, one in zip(numbers, read, strict=True) if one is not None]
    bad = tuple(n for n, one in zip(numbers, read, strict=True) if one is None)
    pixels = torch.stack([one for _, one in good]) if good else torch.empty(0, 3, side, side)
    return PictureBatch(pixels, torch.tensor([n for n, _ in good], dtype=torch.int64), bad)
