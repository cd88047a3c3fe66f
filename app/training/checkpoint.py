"""Training checkpoints: written atomically, read without unpickling code."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from app.errors import TrainingStopped
from app.training.options import TrainingOptions
from app.training.trainer import ARCHITECTURE, Trainer


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file atomically: `write` fills a temporary file, which then replaces `path`.

    Raises `TrainingStopped` if the disk is full or not writable, and leaves the old file unchanged.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError) as error:
        # torch.save raises RuntimeError when the disk is full.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise TrainingStopped(
            f"{path} cannot be written ({error}). Nothing was overwritten; make room and start "
            "the same command again."
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a text atomically; see `write_atomically`."""
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def save(path: Path, trainer: Trainer, seconds: float) -> None:
    """Write a checkpoint of `trainer`, after `seconds` of training in total."""
    content = {
        "architecture": ARCHITECTURE,
        "options": {**asdict(trainer.options), "widths": list(trainer.options.widths)},
        "data": trainer.train.sha256,
        "classes": list(trainer.train.classes),
        "lineage": list(trainer.lineage.digests),
        "seconds": seconds,
        "trainer": trainer.state(),
    }
    write_atomically(path, lambda part: torch.save(content, part))


def resume(path: Path, trainer: Trainer) -> float:
    """Restore the training from `path`; return the seconds of training so far.

    Raises `TrainingStopped` if the checkpoint is damaged or has another architecture, options, data
    or lineage.
    """
    content = read(path, "Choose another --out, or --fresh to start again.")
    if content["architecture"] != ARCHITECTURE:
        raise TrainingStopped(
            f"{path} is a checkpoint of {content['architecture']}, not of {ARCHITECTURE}. "
            "Choose another --out, or --fresh to start again."
        )
    if differences := trainer.options.differences(TrainingOptions.of(content["options"])):
        raise TrainingStopped(
            f"{path} was made with {', '.join(differences)}. Give the same options to go on, "
            "choose another --out, or --fresh to start again."
        )
    if content["data"] != trainer.train.sha256 or content["classes"] != list(trainer.train.classes):
        raise TrainingStopped(
            f"{path} was made with other pictures. Give the same data to go on, "
            "choose another --out, or --fresh to start again."
        )
    if content.get("lineage", []) != list(trainer.lineage.digests):
        raise TrainingStopped(
            f"{path} was made with other teachers, or began elsewhere. Give the same --teacher and "
            "--start to go on, choose another --out, or --fresh to start again."
        )
    trainer.restore(content["trainer"])
    return float(content["seconds"])


def read(path: Path, advice: str) -> dict[str, Any]:
    """Read what `save` wrote at `path`.

    Raises `TrainingStopped` with `advice` what to do if there is no valid checkpoint.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        expected = {"architecture", "options", "data", "classes", "seconds", "trainer"}
        # Older checkpoints have no lineage.
        if not isinstance(content, dict) or set(content) - {"lineage"} != expected:
            raise ValueError("something else is in it")
    except Exception as error:  # A damaged file can raise any exception.
        raise TrainingStopped(
            f"{path} is not a checkpoint that can be read. {advice} "
            f"({(str(error) or 'it is empty').splitlines()[0]})"
        ) from error
    return content
