"""The networks that are measured, with their real weights where they are on this computer."""

from __future__ import annotations

from app.services.networks.loading import load
from app.services.networks.weight_files import WeightEntry, WeightFiles
from app.settings import Settings
from models import registry
from models.graph import Network
from models.weights import TABLE

NETWORKS = ("mini", "alexnet", "vgg16")
KNOWN = tuple(row.id for row in TABLE)


def shelf() -> WeightFiles:
    """Where the app would look for weights."""
    return WeightFiles(Settings.from_environment().shelves)


def chosen() -> list[str]:
    """What is measured unless somebody chooses: three networks, and all whose weights are here."""
    here = [entry.id for entry in shelf().entries() if entry.path and entry.id in KNOWN]
    return list(dict.fromkeys([*NETWORKS, *here]))


def loader(entry: WeightEntry) -> Network:
    """Real weights where they are here, else seeded ones: as fast, if meaningless."""
    return load(entry) if entry.path else registry.seeded(entry.row.architecture)


def is_seeded(name: str) -> bool:
    """Whether a network is measured with random weights."""
    entry = shelf().entry(name)
    return entry is None or entry.path is None
