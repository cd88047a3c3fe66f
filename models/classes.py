"""The classes a network tells apart, as the tables in `models/labels/` list them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Label:
    """One class: short `label` for people, `synset` in full, `wnid` to compare networks by."""

    index: int
    wnid: str
    label: str
    synset: str


@cache
def read_labels(path: Path) -> tuple[Label, ...]:
    """The classes of a label table, in the order of the network's outputs."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Label(int(line["index"]), line["wnid"], line["label"], line["synset"])
            for line in csv.DictReader(file)
        )
