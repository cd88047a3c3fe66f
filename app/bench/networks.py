"""The networks to measure, with their real weights where these are on this computer."""

from __future__ import annotations

from app.services.networks.loading import load
from app.services.networks.weight_files import WeightEntry, WeightFiles
from app.settings import Settings
from models import registry
from models.graph import Network
from models.weights import TABLE

NETWORKS = ("mini", "alexnet", "vgg16")
KNOWN = tuple(row.id for row in TABLE)


def weight_files() -> WeightFiles:
    """The weight files where the app looks for them."""
    return WeightFiles(Settings.from_environment().shelves)


def default_networks() -> list[str]:
    """The default networks: three, and all others whose weights are on this computer."""
    here = [entry.id for entry in weight_files().entries() if entry.path and entry.id in KNOWN]
    return list(dict.fromkeys([*NETWORKS, *here]))


def loader(entry: WeightEntry) -> Network:
    """Load real weights where they are available, else random ones of the same speed."""
    return load(entry) if entry.path else registry.seeded(entry.row.architecture)


def is_seeded(name: str) -> bool:
    """Whether a network is measured with random weights."""
    entry = weight_files().entry(name)
    return entry is None or entry.path is None
