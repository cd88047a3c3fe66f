"""The embedded network, as the app loads it."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from app.services.networks.loading import load
from app.services.networks.weight_files import WeightEntry
from models.graph import Network
from models.weights import TABLE

ENTRY = WeightEntry(TABLE[0], TABLE[0].path, "embedded", True)


def embedded() -> Network:
    """`mini` with its weights."""
    return load(ENTRY)


def without_classifier() -> dict[str, Tensor]:
    """What `mini` has learned in conv1-5 alone."""
    return {key: value for key, value in embedded().state_dict().items() if key.startswith("conv")}


def put_partial(folder: Path) -> Path:
    """Somebody's own `mini-part.safetensors`, a network without its classifier; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(without_classifier(), folder / "mini-part.safetensors")
    return folder
