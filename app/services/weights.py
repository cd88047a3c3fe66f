"""From a weights file to a network: verified where digits are published, fitted key by key."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_safetensors
from torch import Tensor

from app.errors import WeightsMissing, WeightsRefused
from app.services.fitting import fit
from app.services.shelf import Entry
from models.graph import Network


def load(entry: Entry) -> Network:
    """The network of an entry with its weights, float32, on the CPU.

    Raises `WeightsMissing` where the file is not there, `WeightsRefused` where it is not the file
    of the table or does not fit.
    """
    path = entry.path
    if path is None:
        raise WeightsMissing(missing(entry))
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise WeightsMissing(missing(entry)) from None
    except OSError as error:
        raise WeightsRefused(f"{path.name} cannot be read: {error.strerror}.") from error
    if not entry.verified:
        return fit(entry.row.architecture, _read(path, data), path.name)
    # The digest of 233 MB takes as long as reading them: both at once. Nothing that is read runs
    # code, and nothing is used before the digest is right.
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(lambda: hashlib.sha256(data).hexdigest())
        try:
            state = _read(path, data)
        finally:
            _verify(entry, digest.result())
    return fit(entry.row.architecture, state, path.name)


def read(path: Path) -> Mapping[str, Tensor]:
    """Tensors by key from any weights file, without running code.

    Raises `WeightsMissing`, `WeightsRefused`.
    """
    try:
        return _read(path, path.read_bytes())
    except FileNotFoundError:
        raise WeightsMissing(f"There is no file {path}.") from None
    except OSError as error:
        raise WeightsRefused(f"{path.name} cannot be read: {error.strerror}.") from error


def missing(entry: Entry) -> str:
    """What to do where a network's file is not on this computer."""
    row = entry.row
    if not row.url:
        return f"The weights of {row.title} ({row.file}) are not on this computer."
    return (
        f"The weights of {row.title} are not on this computer yet. "
        f"`python -m app weights get {row.id}` brings them ({row.bytes / 1e6:,.0f} MB); the file "
        f"{row.file} from a USB stick does too, in the folder that LAYERSCOPE_WEIGHTS names."
    )


def _verify(entry: Entry, digest: str) -> None:
    if not digest.startswith(entry.row.sha256):
        raise WeightsRefused(
            f"{entry.row.file} is not the published file: its SHA-256 differs. Delete it and "
            "get it anew."
        )


def _read(path: Path, data: bytes) -> Mapping[str, Tensor]:
    """Tensors by key, from safetensors or from a pickle that may hold nothing but tensors."""
    try:
        if path.suffix == ".safetensors":
            return read_safetensors(data)
        state = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise WeightsRefused(f"{path.name} is not a safetensors file: {error}.") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise WeightsRefused(f"{path.name} holds no weights that can be read.") from error
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsRefused(f"{path.name} holds something else than weights.")
    return state
