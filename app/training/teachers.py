"""Reads the files of earlier trainings that a new training learns from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from app.errors import BadRequest, TrainingStopped
from app.training import checkpoint
from app.training.lineage import Lineage, Teacher
from app.training.options import TrainingOptions
from app.training.ship import assemble

AVERAGED = "module."  # what torch's AveragedModel puts before every name


def read_lineage(teachers: Sequence[Path], start: Path | None, device: torch.device) -> Lineage:
    """Read the teachers and the start of a training; `Lineage.check` then compares their classes.

    Each teacher is a weights file made by a training; `start` is another training's checkpoint.
    Raises `TrainingStopped`.
    """
    networks = tuple(_teacher(path, device) for path in teachers)
    weights = None if start is None else _averaged(start)
    files = [*teachers, *([start] if start else [])]
    return Lineage(networks, weights, tuple(_digest(path) for path in files))


def _teacher(path: Path, device: torch.device) -> Teacher:
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            # The handle of safetensors is no mapping, so `keys()` is needed.
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        classes = tuple(wnid for wnid, *_ in json.loads(about["classes"]))
        network = assemble(TrainingOptions.of(json.loads(about["options"])), state, len(classes))
    except (
        OSError, SafetensorError, BadRequest, KeyError, ValueError, TypeError, RuntimeError
    ) as error:  # fmt: skip
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise TrainingStopped(
            f"{path} is not a network that a training made: it cannot teach. ({first})"
        ) from error
    # The same memory layout as the trained network.
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Teacher(network, classes, path)


def _averaged(path: Path) -> dict[str, Tensor]:
    content = checkpoint.read(path, "--start needs the checkpoint.pt of another training.")
    average: dict[str, Tensor] = content["trainer"]["average"]
    return {
        name.removeprefix(AVERAGED): value
        for name, value in average.items()
        if name.startswith(AVERAGED)
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
