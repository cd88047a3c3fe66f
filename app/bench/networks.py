"""The networks that are measured, with their real weights where those come with the project."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from app.services.weights import load
from models import registry
from models.graph import Network
from models.weights import TABLE, Weights, row

NETWORKS = ("mini", "alexnet", "vgg16")


def network_row(name: str, folder: Path) -> Weights:
    """The network's row; one the table lacks gets AlexNet's input, numbers for labels."""
    if found := row(name):
        return found
    labels = folder / "numbered"
    with labels.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("index", "wnid", "label", "synset"))
        writer.writerows((i, f"n{i:08}", f"class {i}", f"class {i}") for i in range(1000))
    return replace(
        TABLE[0], id=name, architecture=name, title=name, resize=256, crop=224,
        labels=str(labels), embedded=False,
    )  # fmt: skip


def loader(weights: Weights) -> Network:
    """Real weights where they come with the project, else seeded ones: as fast, if meaningless."""
    return load(weights) if weights.embedded else registry.seeded(weights.architecture)


def is_seeded(name: str) -> bool:
    """Whether a network is measured with random weights."""
    found = row(name)
    return found is None or not found.embedded
