"""What the makers of shipped files work with, and what they hand over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from app.services.networks.catalogue import Model
from app.services.runs.run import preprocess
from app.training import folders
from app.training.data import DataSet, load
from app.verbs.terminal import Teller
from models.graph import Network


@dataclass(frozen=True, slots=True)
class AssetContent:
    """A file's content: tensors, and `about`, all of it text, as safetensors wants its metadata.

    The weights' SHA-256 and the versions are added by whoever writes it. `sentence` tells people
    what came of it.
    """

    tensors: dict[str, Tensor]
    about: dict[str, str]
    sentence: str


@dataclass(frozen=True, slots=True)
class AssetInputs:
    """The network, loaded and in evaluation mode on `device`, and where the data set lies."""

    model: Model
    network: Network
    device: torch.device
    data: Path
    teller: Teller = field(default_factory=Teller)

    def pictures(self, split: str, count: int) -> DataSet:
        """Up to `count` pictures, evenly over `train` or `val`, made to fit and on the CPU.

        Labels are the network's own indices. Raises `DataUnusable`.
        """
        names = [label.wnid for label in self.model.labels]
        source = folders.open_source(self.data)
        entries = folders.chosen(folders.find(source, split), names, split)
        some = _evenly(entries, count)
        return load(source, some, names, preprocess(self.model), self._reading, split)

    def _reading(self, what: str, done: int, of: int) -> None:
        self.teller.progress(f"reading {what} pictures: {done:,} of {of:,}")


Maker = Callable[[AssetInputs], AssetContent]
"""Makes one shipped file anew. It may take minutes, tells progress, and repeats to the bit."""


def _evenly(entries: Sequence[folders.FileEntry], count: int) -> list[folders.FileEntry]:
    """Up to `count` of them, from the first to the last."""
    count = min(count, len(entries))
    return [entries[i * len(entries) // count] for i in range(count)]
