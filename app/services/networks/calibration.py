"""Reads a network's calibration, made by `calibrate`: its usual scores and mean activations."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from app.services.files import regular
from app.services.networks.catalogue import Model
from app.services.networks.loading import weights_digest

KIND = "calibration"
"""Name of the folder, in the data folder, for files of `python -m app calibrate`."""

SCORE, MEAN, PROFILE = "score.", "mean.", "profile."
"""Prefixes of the file's tensor names, before the name of a score or step."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Statistics of held-out and training pictures, all float32.

    `scores` are reference scores by name, sorted in ascending order, [N] each. `means` are mean
    activations of the last step of each stage before its pooling, by step, [classes,C] each; the
    operator's own file has none. `about` says where they come from. `profiles` are mean and spread
    of the channels of some steps, [2,C] each.
    """

    scores: dict[str, Tensor]
    means: dict[str, Tensor]
    about: dict[str, str]
    profiles: dict[str, Tensor]


def calibration_path(model: Model) -> Path | None:
    """The path of a network's calibration, next to its weights; None if those are missing."""
    path = model.entry.path
    return None if path is None else path.with_name(f"{model.id}.calibration.safetensors")


def own_path(model: Model, data: Path) -> Path:
    """The path of the operator's own calibration of a network, in the data folder."""
    return data / KIND / f"{model.id}.calibration.safetensors"


def calibration(model: Model) -> Calibration | None:
    """The calibration of a network; None if there is none made with its weights.

    The one next to the weights, else the operator's own in `model.data`.
    """
    shipped = calibration_path(model)
    if shipped is None:
        return None
    own = None if model.data is None else own_path(model, model.data)
    return _read_fitting(shipped, model) or _read_fitting(own, model)


def _read_fitting(path: Path | None, model: Model) -> Calibration | None:
    """Read a file if it was made with these weights; else None."""
    try:
        found = None if path is None else _read(path, regular(path).st_mtime_ns)
    except FileNotFoundError:
        return None
    except (SafetensorError, OSError) as error:
        _log.warning("The calibration of %s cannot be read: %s", model.id, error)
        return None
    return found if found and _fits(found, model) else None


def _fits(found: Calibration, model: Model) -> bool:
    """True if it was made with these weights and its shapes fit this network.

    If only the first digits of the weights' SHA-256 are published, those are compared.
    """
    made_with, digest = found.about.get("weights_sha256", ""), model.row.sha256
    # The row of the operator's own network has a digest of name and date: compare the file too.
    return (
        bool(made_with and digest)
        and (made_with.startswith(digest) or made_with == weights_digest(model.entry))
        and all(
            name in model.geometry
            and means.shape == (len(model.labels), model.geometry[name].shape[0])
            for name, means in found.means.items()
        )
        and all(
            name in model.geometry and usual.shape == (2, model.geometry[name].shape[0])
            for name, usual in found.profiles.items()
        )
    )


@lru_cache(8)
def _read(path: Path, changed: int) -> Calibration:
    """Read a file; cached until `changed`, its time in nanoseconds since 1970, differs."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        about = file.metadata() or {}
    return Calibration(
        _called(tensors, SCORE), _called(tensors, MEAN), about, _called(tensors, PROFILE)
    )


def _called(tensors: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }
