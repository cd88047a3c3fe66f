"""Inputs and outputs of the functions that make the shipped files."""

from __future__ import annotations

from collections.abc import Callable
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
    """The content of a file: tensors, and metadata `about`, as text, as safetensors requires.

    The caller adds the weights' SHA-256 and the versions. `sentence` describes the result.
    """

    tensors: dict[str, Tensor]
    about: dict[str, str]
    sentence: str


@dataclass(frozen=True, slots=True)
class AssetInputs:
    """The network, loaded in evaluation mode on `device`, and the path of the data set."""

    model: Model
    network: Network
    device: torch.device
    data: Path
    teller: Teller = field(default_factory=Teller)

    def pictures(self, split: str, count: int) -> DataSet:
        """Load up to `count` evenly spaced pictures of `train` or `val`, preprocessed, on the CPU.

        Labels are the network's class indices. Raises `DataUnusable`.
        """
        names = [label.wnid for label in self.model.labels]
        source = folders.open_source(self.data)
        entries = folders.select_classes(folders.find(source, split), names, split)
        some = folders.evenly_spaced(entries, count)
        return load(source, some, names, preprocess(self.model), self._reading, split)

    def _reading(self, what: str, done: int, of: int) -> None:
        self.teller.progress(f"reading {what} pictures: {done:,} of {of:,}")


Maker = Callable[[AssetInputs], AssetContent]
"""Makes one shipped file. It may take minutes, reports progress, and is deterministic."""
