"""Finds the pictures of a data set in a folder or zip, and the class of each."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

from app.errors import DataUnusable

T = TypeVar("T")

PICTURES = {".jpeg", ".jpg", ".png", ".webp", ".bmp", ".gif"}
ANNOTATIONS = "val_annotations.txt"


class FileSource(Protocol):
    """A folder or a zip: names of files, with / as separator, and their bytes."""

    def names(self) -> Iterable[str]: ...
    def read(self, name: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One picture: the name of its file in the source, and its class."""

    file: str
    label: str


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A data set in a folder."""

    path: Path

    def names(self) -> Iterator[str]:
        for path in self.path.rglob("*"):
            if path.is_file():
                yield path.relative_to(self.path).as_posix()

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()


@dataclass(frozen=True, slots=True)
class DataZip:
    """A data set in a zip file, as downloaded."""

    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        return [name for name in self.archive.namelist() if not name.endswith("/")]

    def read(self, name: str) -> bytes:
        return self.archive.read(name)


def open_source(path: Path) -> FileSource:
    """Open the folder or zip at `path`. Raises `DataUnusable` if there is neither."""
    if path.is_dir():
        return DataFolder(path)
    if not path.exists():
        raise DataUnusable(f"There is no folder and no zip at {path}.")
    try:
        return DataZip(zipfile.ZipFile(path))
    except (zipfile.BadZipFile, OSError) as error:
        raise DataUnusable(f"{path} is not a whole zip file: {error}.") from error


def find(source: FileSource, split: str) -> list[FileEntry]:
    """The pictures of a split (`train`, `val`), sorted by class and name; [] if it is missing.

    Reads ImageFolder (`train/<class>/…/name.jpeg`) and Tiny ImageNet as published
    (`val/images/…` with `val_annotations.txt`), at the top level or one folder below.
    """
    names = sorted(source.names())
    listed = next((name for name in names if _tail(name, split) == (ANNOTATIONS,)), None)
    labels = _annotations(source, listed) if listed else {}
    found = []
    for name in names:
        parts = _tail(name, split)
        if len(parts) < 2 or PurePosixPath(name).suffix.lower() not in PICTURES:
            continue
        label = labels.get(parts[-1]) if parts[0] == "images" and labels else parts[0]
        if label is None:
            raise DataUnusable(f"{listed} does not say which class {name} is of.")
        found.append(FileEntry(name, label))
    return sorted(found, key=lambda entry: (entry.label, entry.file))


def find_all(source: FileSource) -> list[FileEntry]:
    """The pictures of an ImageFolder without splits: `<class>/…/name.jpeg`."""
    entries = [
        FileEntry(name, name.split("/")[0])
        for name in source.names()
        if "/" in name and PurePosixPath(name).suffix.lower() in PICTURES
    ]
    return sorted(entries, key=lambda entry: (entry.label, entry.file))


def select_classes(entries: list[FileEntry], classes: list[str], split: str) -> list[FileEntry]:
    """Select the pictures of these classes.

    Raises `DataUnusable` if a class has no picture, or far fewer than the others, as after an
    incomplete download or unpacking.
    """
    counts = Counter(entry.label for entry in entries)
    if missing := [name for name in classes if not counts[name]]:
        raise DataUnusable(
            f"The data has no {split} pictures of {_some(missing)}: "
            "is it unpacked to the end, and is it the right folder?"
        )
    usual = sorted(counts[name] for name in classes)[len(classes) // 2]
    if few := [name for name in classes if counts[name] < usual / 2]:
        raise DataUnusable(
            f"The data is cut off: most classes have {usual} {split} pictures, {_some(few)} fewer "
            f"than half of that. Unpack it again, or name the classes to use."
        )
    names = set(classes)
    return [entry for entry in entries if entry.label in names]


def evenly_spaced(entries: Sequence[T], count: int) -> list[T]:
    """Up to `count` of the entries, evenly spaced from the first on."""
    count = min(count, len(entries))
    return [entries[i * len(entries) // count] for i in range(count)]


def _tail(name: str, split: str) -> tuple[str, ...]:
    """The path below the split's folder, which is at most one folder down; () elsewhere."""
    parts = PurePosixPath(name).parts
    return parts[parts.index(split) + 1 :] if split in parts[:2] else ()


def _annotations(source: FileSource, name: str) -> dict[str, str]:
    rows = source.read(name).decode("utf-8", "replace").splitlines()
    return {cells[0]: cells[1] for cells in (row.split("\t") for row in rows) if len(cells) > 1}


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
