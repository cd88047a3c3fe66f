"""The classes that a network predicts, read from the tables in `models/labels/`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Label:
    """One class: a short `label` for users, the full `synset`, `wnid` to compare networks."""

    index: int
    wnid: str
    label: str
    synset: str


@cache
def read_labels(path: Path) -> tuple[Label, ...]:
    """Read the classes of a label table, in the order of the network's outputs."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Label(int(line["index"]), line["wnid"], line["label"], line["synset"])
            for line in csv.DictReader(file)
        )
