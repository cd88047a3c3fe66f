"""Files made from a network's weights, shipped or the operator's own (noise, stickers, …).

A file made from other weights is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from app import __version__
from app.errors import DataUnusable, printable
from app.services.files import listing, regular
from app.services.networks.catalogue import Model
from app.services.networks.loading import weights_digest
from app.services.networks.weight_files import RefusedFile

LARGEST = 64_000_000
"""Largest file that is read, in bytes: this project makes none that large."""


@dataclass(frozen=True, slots=True)
class AssetFile:
    """One file: its tensors and metadata, and whether it is shipped with the project."""

    path: Path
    tensors: Mapping[str, Tensor]
    about: Mapping[str, str]
    shipped: bool


@dataclass(frozen=True, slots=True)
class FoundAssets:
    """The files of one kind for a network, the operator's own first, and the refused ones."""

    assets: tuple[AssetFile, ...]
    refused: tuple[RefusedFile, ...]


def find(model: Model, kind: str) -> FoundAssets:
    """Find the files of a `kind` (`stickers`, `universal`) made from exactly these weights.

    The operator's own are in the folder of that name in `model.data`, and their names start with
    the network's id; the shipped file is next to the weights.
    """
    good, refused = list[AssetFile](), list[RefusedFile]()
    for path, shipped in _candidates(model, kind):
        try:
            good.append(read(path, model, shipped))
        except DataUnusable as error:
            refused.append(RefusedFile(printable(path.name), error.detail))
    return FoundAssets(tuple(good), tuple(refused))


def read(path: Path, model: Model, shipped: bool = False) -> AssetFile:
    """Read a file made from this network's weights.

    Raises `DataUnusable` if it cannot be read or was made from other weights.
    """
    try:
        seen = regular(path)
        if seen.st_size > LARGEST:
            raise DataUnusable(f"{path.name} is far too large for what it should be.")
        tensors, about = _content(path, seen.st_mtime_ns, seen.st_size)
    except (OSError, SafetensorError) as error:
        raise DataUnusable(f"{path.name} cannot be read ({error}).") from error
    made_from, weights = about.get("weights_sha256", ""), weights_digest(model.entry)
    if not made_from or made_from != weights:
        raise DataUnusable(
            f"{path.name} was made from other weights than those of {model.row.title}: "
            f"SHA-256 {made_from[:12] or 'not stated'}… and not {weights[:12]}…. Make it again."
        )
    return AssetFile(path, tensors, about, shipped)


def content(model: Model, tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> bytes:
    """The bytes of a file made from a network's weights; its metadata includes `origin`."""
    return save(dict(tensors), {**about, **origin(model)})


def origin(model: Model) -> dict[str, str]:
    """The metadata of every such file: network, SHA-256 of the weights, and versions."""
    return {
        "model": model.id,
        "weights_sha256": weights_digest(model.entry),
        "torch": torch.__version__,
        "layerscope": __version__,
    }


def _candidates(model: Model, kind: str) -> Iterator[tuple[Path, bool]]:
    folder = model.data / kind if model.data else None
    for path in listing(folder, f"{model.id}.*safetensors") if folder else ():
        yield path, False
    row = model.row
    shipped = row.path.with_name(f"{row.id}.{kind}.safetensors")
    if row.embedded and shipped.is_file():
        yield shipped, True


@lru_cache(maxsize=32)
def _content(path: Path, changed: int, size: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    with safe_open(path, "pt") as file:
        # The handle of safetensors is no mapping, so `keys()` is needed.
        return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
