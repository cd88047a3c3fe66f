"""What a network usually does, read from the file beside its weights; made by `calibrate`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from app.services.networks.catalogue import Model
from app.services.networks.loading import weights_digest

KIND = "calibration"
"""The folder, in the operator's own, of the files that `python -m app calibrate` makes."""

SCORE, MEAN, PROFILE = "score.", "mean.", "profile."
"""How the tensors of the file are called, before a score's or a step's name."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of held-out and of training pictures, both float32.

    `scores` are reference scores by name, sorted upwards, [N] each; `means` the mean responses of
    the last step of each stage before its pool, by step, [classes,C] each, none in a file of the
    operator's own; `about` says where they come from. `profiles` are mean and spread of the
    channels of some steps, [2,C] each.
    """

    scores: dict[str, Tensor]
    means: dict[str, Tensor]
    about: dict[str, str]
    profiles: dict[str, Tensor]


def calibration_path(model: Model) -> Path | None:
    """Where a network's calibration lies: beside its weights; None where those are not here."""
    path = model.entry.path
    return None if path is None else path.with_name(f"{model.id}.calibration.safetensors")


def own_path(model: Model, data: Path) -> Path:
    """Where the operator's own calibration of a network lies, in the folder for `data`."""
    return data / KIND / f"{model.id}.calibration.safetensors"


def calibration(model: Model) -> Calibration | None:
    """The calibration of a network; None where there is none that was made with its weights.

    The one beside the weights, else the operator's own in `model.data`.
    """
    beside = calibration_path(model)
    if beside is None:
        return None
    own = None if model.data is None else own_path(model, model.data)
    return _believed(beside, model) or _believed(own, model)


def _believed(path: Path | None, model: Model) -> Calibration | None:
    """What a file says, where it was made with these weights."""
    try:
        found = None if path is None else _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None
    except (SafetensorError, OSError) as error:
        _log.warning("The calibration of %s cannot be read: %s", model.id, error)
        return None
    return found if found and _fits(found, model) else None


def _fits(found: Calibration, model: Model) -> bool:
    """Whether it was made with these weights, and every mean is of this network's classes.

    Where only the first digits of the weights' SHA-256 are published, those are compared.
    """
    made_with, digest = found.about.get("weights_sha256", ""), model.row.sha256
    # The row of a network of one's own has a digest of name and date; the content counts too.
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
    """Everything in a file; read again when it has `changed`, in nanoseconds since 1970."""
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
