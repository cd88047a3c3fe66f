"""Finds weights files: in the project, in the operator's folder, in the download cache."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError

from app.errors import UnknownModel, WeightsRefused, printable
from app.services.files import listing, regular
from app.services.networks.random_weights import trained_id, twin_id, twin_row
from app.services.networks.state_dict import check
from app.services.networks.weight_contents import first_not_finite, not_finite, shapes
from models import registry
from models.row import Weights
from models.weights import TABLE

State = Literal["embedded", "ready", "partial", "downloadable", "random"]
OWN = "own-"
AT_ONCE = 50_000_000
"""Bytes up to which a file's numbers are looked at before it is offered; larger, at its load."""
_STEM = re.compile(r"[A-Za-z0-9._-]{1,80}")


@dataclass(frozen=True, slots=True)
class WeightEntry:
    """A network to choose: its table row, and its weights file if there is one.

    A `verified` file is checked against the published SHA-256 at every load. `last` is the last
    step of a partial network. A `random` one needs no file (see `random_weights`).
    """

    row: Weights
    path: Path | None
    state: State
    verified: bool
    last: str | None = None

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def counterpart(self) -> str:
        """Id of the twin: with random weights for a trained network, and the reverse."""
        return trained_id(self.id) if self.state == "random" else twin_id(self.id)


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file of the operator that was refused, and the reason in a sentence."""

    file: str
    reason: str


class WeightFiles:
    """The networks of the table and the operator's own files, searched in `folders` in order.

    The numbers in a file of one's own are looked at up to `AT_ONCE` bytes, all if `thorough`.
    """

    def __init__(
        self,
        folders: Sequence[Path] = (),
        rows: Sequence[Weights] = TABLE,
        *,
        thorough: bool = False,
    ) -> None:
        self.folders = tuple(folders)
        self._thorough = thorough
        self._rows = tuple(rows)
        self._seen: dict[tuple[str, int, int], WeightEntry | RefusedFile] = {}

    def entries(self) -> list[WeightEntry]:
        """Every network: those of the table first, then the operator's own by name."""
        own = [found for found in self._own() if isinstance(found, WeightEntry)]
        return [self._official(row) for row in self._rows] + own

    def refused(self) -> list[RefusedFile]:
        """The operator's files that are named like weights but cannot be used."""
        return [found for found in self._own() if isinstance(found, RefusedFile)]

    def refuse(self, entry: WeightEntry, reason: str) -> None:
        """List a file of one's own as refused until it changes: what is in it is known now."""
        if entry.path and entry.id.startswith(OWN):
            for key, found in self._seen.items():
                if found == entry:
                    self._seen[key] = RefusedFile(entry.path.name, reason)

    def entry(self, id: str) -> WeightEntry | None:
        """The network of that id, None if there is none.

        Each has a twin with random weights, which is not listed by `entries`.
        """
        if found := self._with_file(id):
            return found
        pattern = self._with_file(trained_id(id))
        return _twin(pattern) if pattern else None

    def twins(self) -> list[WeightEntry]:
        """The twin of every network, with random weights, in the same order."""
        return [_twin(entry) for entry in self.entries()]

    def find(self, id: str) -> WeightEntry:
        """The network of that id.

        Raises `UnknownModel` with the reason for a file that was refused, else with the known.
        """
        if entry := self.entry(id):
            return entry
        for file in self.refused():
            if id == f"{OWN}{Path(file.file).stem}":
                raise UnknownModel(f"{file.file} cannot be used. {file.reason}")
        known = ", ".join(entry.id for entry in self.entries())
        raise UnknownModel(f"There is no network called “{id[:60]}”. There are: {known}.")

    def _with_file(self, id: str) -> WeightEntry | None:
        for row in self._rows:
            if row.id == id:
                return self._official(row)
        own = (found for found in self._own() if isinstance(found, WeightEntry))
        return next((one for one in own if one.id == id), None)

    def _official(self, row: Weights) -> WeightEntry:
        if row.embedded:
            return WeightEntry(row, row.path, "embedded", True)
        for name, verified in ((row.file, True), (second_file(row), False)):
            for folder in self.folders:
                # Unlike Path's, it answers no where nobody can tell, as on a stick pulled out.
                if os.path.isfile(folder / name):
                    return WeightEntry(row, folder / name, "ready", verified)
        return WeightEntry(row, None, "downloadable", False)

    def _own(self) -> list[WeightEntry | RefusedFile]:
        found: dict[str, WeightEntry | RefusedFile] = {}
        for folder in self.folders:
            for path in listing(folder, "*.safetensors"):
                if path.name not in found and (architecture := architecture_of(path.stem)):
                    found[path.name] = self._look(path, architecture)
        return [found[name] for name in sorted(found)]

    def _look(self, path: Path, architecture: str) -> WeightEntry | RefusedFile:
        """Inspect a file; cached until it changes."""
        try:
            state = regular(path)
        except OSError as error:
            return _unreadable(path, error)
        key = (str(path), state.st_size, state.st_mtime_ns)
        if key not in self._seen:
            thorough = self._thorough or state.st_size <= AT_ONCE
            self._seen[key] = _inspect(path, architecture, key, thorough)
        return self._seen[key]


def _unreadable(path: Path, error: OSError) -> RefusedFile:
    return RefusedFile(printable(path.name), f"It cannot be read: {error.strerror or error}.")


def _twin(entry: WeightEntry) -> WeightEntry:
    return WeightEntry(twin_row(entry.row), None, "random", False, entry.last)


def second_file(row: Weights) -> str:
    """The name of the second source's file; no file of the operator can have it."""
    return f"{row.id}.second.safetensors"


def architecture_of(stem: str) -> str | None:
    """The architecture in a file's name, `<architecture>[-anything]`; None for other files."""
    name = stem.partition("-")[0]
    return name if name in registry.architectures() else None


def _inspect(
    path: Path, architecture: str, key: tuple[str, int, int], thorough: bool
) -> WeightEntry | RefusedFile:
    """Read the names and shapes in a file; its numbers only if `thorough`."""
    if not _STEM.fullmatch(path.stem):
        reason = "Its name may have letters, digits, dots, - and _ only."
        return RefusedFile(printable(path.name), reason)
    try:
        last = check(architecture, shapes(path), path.name)
        if thorough and (wrong := first_not_finite(path)):
            return RefusedFile(path.name, not_finite(path.name, wrong))
    except WeightsRefused as error:
        return RefusedFile(path.name, error.detail)
    except SafetensorError as error:
        return RefusedFile(path.name, printable(f"It is not a safetensors file: {error}."))
    except OSError as error:
        return _unreadable(path, error)
    row = _row(path, architecture, key, last)
    return WeightEntry(row, path, "partial" if last else "ready", False, last)


def _row(path: Path, architecture: str, key: tuple[str, int, int], last: str | None) -> Weights:
    pattern = next(row for row in TABLE if row.architecture == architecture)
    about = f"A file of your own for {pattern.title}, not verified: {path.name}."
    if last:
        about += f" It holds the weights up to {last}; without a classifier it has no classes."
    return replace(
        pattern,
        id=f"{OWN}{path.stem}",
        title=f"{pattern.title} ({path.stem})",
        about=about,
        file=path.name,
        bytes=key[1],
        # Not a digest of the content, which may be 0.5 GB; it changes when the file does.
        sha256=hashlib.sha256(repr(key).encode()).hexdigest(),
        licence="your own",
        source="your own file",
        embedded=False,
        url="",
        second="",
        top1=0.0,
        top5=0.0,
    )
