"""What a training begins with beside chance: networks that teach it, a training it goes on from.

A teacher sees the very crop and patch that the pupil sees, and says how likely it finds every
class: more than the one label that a picture has. Hinton, Vinyals, Dean 2015, "Distilling the
Knowledge in a Neural Network", arXiv 1503.02531; the same view for both is Beyer and others 2021,
arXiv 2106.05237.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from app.errors import TrainingStopped
from models import registry
from models.graph import Network


@dataclass(frozen=True, slots=True)
class Lineage:
    """Networks that teach, in `eval` mode, and the averaged weights `start` of another training.

    `digests` are SHA-256 of the files, in the order they were named: another lineage is another
    training.
    """

    teachers: tuple[Network, ...] = ()
    start: dict[str, Tensor] | None = None
    digests: tuple[str, ...] = ()

    def answers(self, pixels: Tensor, heat: float) -> Tensor:
        """What the teachers find of normalised pictures on average: [N,classes], rows sum to 1.

        Their logits are divided by `heat` before the softmax.
        """
        with torch.no_grad():
            found = [(one(pixels).float() / heat).softmax(1) for one in self.teachers]
        return torch.stack(found).mean(0)


ALONE = Lineage()


def lineage(
    teachers: Sequence[Path], start: Path | None, classes: Sequence[str], device: torch.device
) -> Lineage:
    """The files that were named, read.

    Each teacher is a file that a training made, of the same `classes` (wnids) in the same order;
    `start` is another training's checkpoint. Raises `TrainingStopped`.
    """
    networks = tuple(_teacher(path, classes).to(device) for path in teachers)
    begun = None if start is None else _averaged(start)
    files = [*teachers, *([start] if start else [])]
    return Lineage(networks, begun, tuple(_digest(path) for path in files))


def _teacher(path: Path, classes: Sequence[str]) -> Network:
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            # safetensors' handle is no mapping: its keys are asked for.
            state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
        known = [wnid for wnid, *_ in json.loads(about["classes"])]
        build = registry.find(about["architecture"]).build
        network = build(
            widths=tuple(json.loads(about["widths"])), hidden=int(about["hidden"]),
            classes=len(known),
        )  # fmt: skip
        network.load_state_dict(state)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise TrainingStopped(
            f"{path} is not a network that a training made: it cannot teach. ({_first(error)})"
        ) from error
    if known != list(classes):
        raise TrainingStopped(f"{path} knows other classes, or in another order: it cannot teach.")
    # Kernels with the channels last: what is trained lies so, too.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().requires_grad_(False)


def _averaged(path: Path) -> dict[str, Tensor]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state = content["trainer"]["average"]
        return {
            name.removeprefix("module."): value
            for name, value in state.items()
            if name.startswith("module.")
        }
    except Exception as error:  # A damaged file can raise anything on the way.
        raise TrainingStopped(
            f"{path} is not a checkpoint to begin with. ({_first(error)})"
        ) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
