"""Loads a network from its weights file, verifying its SHA-256 if one is published."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_safetensors
from torch import Tensor

from app.errors import WeightsMissing, WeightsRefused
from app.services.files import digest_of, regular
from app.services.networks.random_weights import draw
from app.services.networks.state_dict import fit
from app.services.networks.weight_contents import check_header
from app.services.networks.weight_files import WeightEntry
from models.graph import Network


def load(entry: WeightEntry) -> Network:
    """Load the network of an entry, float32, on the CPU.

    Raises `WeightsMissing` if there is no file, `WeightsRefused` if its SHA-256 differs or it does
    not fit the network. Random weights are drawn from a fixed seed.
    """
    if entry.state == "random":
        return draw(entry.row, entry.last)
    path = entry.path
    if path is None or not os.path.isfile(path):
        raise WeightsMissing(missing(entry))
    if not entry.verified:
        return fit(entry.row.architecture, read(path), path.name)
    # Hashing 244 MB takes as long as reading them: do both at once. Reading runs no code, and
    # nothing is returned before the digest is verified.
    try:
        before = path.stat()
        with ThreadPoolExecutor(1) as pool:
            digest = pool.submit(digest_of, path)
            try:
                network = fit(entry.row.architecture, read(path), path.name)
            finally:
                _verify(entry, digest.result())
        now = path.stat()
    except OSError as error:
        raise WeightsRefused(f"{path.name} cannot be read: {error.strerror}.") from error
    if now.st_mtime_ns != before.st_mtime_ns or now.st_size != before.st_size:
        raise WeightsRefused(f"{path.name} changed while it was read. Please try again.")
    return network


def read(path: Path) -> Mapping[str, Tensor]:
    """Read tensors by key from a weights file, without running code from it.

    The file is not memory-mapped: a USB stick may be removed. Raises `WeightsMissing`,
    `WeightsRefused`.
    """
    try:
        regular(path)
        if path.suffix == ".safetensors":
            check_header(path)
            return read_safetensors(path.read_bytes())
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except FileNotFoundError:
        raise WeightsMissing(f"There is no file {path}.") from None
    except OSError as error:
        raise WeightsRefused(f"{path.name} cannot be read: {error.strerror}.") from error
    except SafetensorError as error:
        raise WeightsRefused(f"{path.name} is not a safetensors file: {error}.") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise WeightsRefused(f"{path.name} holds no weights that can be read.") from error
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsRefused(f"{path.name} holds something else than weights.")
    return state


def weights_digest(entry: WeightEntry) -> str:
    """Full SHA-256 of a network's weights file, cached; "" if there is none that can be read."""
    if entry.path is None:
        return ""
    try:
        seen = regular(entry.path)
        return _digest(entry.path, seen.st_mtime_ns, seen.st_size)
    except OSError:
        return ""


@lru_cache(maxsize=64)
def _digest(path: Path, changed: int, size: int) -> str:
    """Compute the digest once for each state of a file: 244 MB take a fifth of a second."""
    return digest_of(path)


def missing(entry: WeightEntry) -> str:
    """Sentences on how to get a network's missing weights."""
    row = entry.row
    if not row.url:
        return f"The weights of {row.title} ({row.file}) are not on this computer."
    return (
        f"The weights of {row.title} are not on this computer yet. "
        f"`python -m app weights get {row.id}` downloads them ({row.bytes / 1e6:,.0f} MB); the "
        f"file {row.file} on a USB stick works, too, in the folder that LAYERSCOPE_WEIGHTS names."
    )


def _verify(entry: WeightEntry, digest: str) -> None:
    if not digest.startswith(entry.row.sha256):
        raise WeightsRefused(
            f"{entry.row.file} is not the published file: its SHA-256 differs. Delete it and "
            "download it again."
        )
