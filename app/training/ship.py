"""Turns a finished training into the shipped files: folds batch norm, rounds, measures, writes."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from app import __version__
from app.errors import TrainingStopped
from app.pictures.preprocess import Preprocess
from app.training import calibrate
from app.training.checkpoint import write_atomically
from app.training.data import DataSet
from app.training.measure import accuracy, logits, temperature
from app.training.options import TrainingOptions
from app.training.trainable import Trainable, fold
from app.training.trainer import ARCHITECTURE, Trainer
from models import registry
from models.classes import Label
from models.graph import Network

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class ShippedNetwork:
    """The written files: size in bytes, and accuracy of the written file, 0..1."""

    out: Path
    calibration: Path
    bytes: int
    sha256: str
    top1: float
    top5: float


def ship(trainer: Trainer, seconds: float, labels: Sequence[Label], out: Path) -> ShippedNetwork:
    """Write the weights as float16, and the calibration next to them.

    The last layer is divided by the temperature that fits the validation pictures best.

    Raises `TrainingStopped` if the folded network differs from the trained one or files cannot be
    written; old files are then left unchanged.
    """
    trained = trainer.averaged
    state = fold(trained)
    network = assemble(trainer.options, state, len(labels))
    _check_folding(trained, network.to(trainer.device), trainer.val, trainer.prep)
    spread = temperature(network, trainer.val, trainer.prep)
    last = network.logits
    for name in (f"{last}.weight", f"{last}.bias"):
        # Calibrate the probabilities: label smoothing and CutMix make them too low.
        state[name] /= spread
    half = {name: value.half() for name, value in state.items()}
    rounded = assemble(trainer.options, half, len(labels)).to(trainer.device)
    exact = accuracy(network, trainer.val, trainer.prep)
    top1, top5 = accuracy(rounded, trainer.val, trainer.prep)
    about = _about(trainer, seconds, labels, exact, (top1, top5))
    about["temperature"] = f"{spread:.4f}"
    write_atomically(out, lambda part: save_file(half, part, about))
    data = out.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    calibration = out.with_name(f"{out.stem}.calibration.safetensors")
    means = calibrate.class_means(rounded, trainer.train, trainer.prep)
    usual = calibrate.profiles_of(rounded, means)
    calibrate.write(
        calibration,
        calibrate.reference_scores(rounded, trainer.val, trainer.prep, usual),
        means,
        usual,
        {
            "weights_sha256": sha256,
            "scores_data_sha256": trainer.val.sha256,
            "means_data_sha256": trainer.train.sha256,
        },
    )
    return ShippedNetwork(out, calibration, len(data), sha256, top1, top5)


def assemble(options: TrainingOptions, state: dict[str, Tensor], classes: int) -> Network:
    """Build the plain network with these parameters, in float32."""
    build = registry.find(ARCHITECTURE).build
    network = build(widths=options.widths, hidden=options.hidden, classes=classes)
    network.load_state_dict({name: value.float() for name, value in state.items()})
    return network.eval().requires_grad_(False)


def _check_folding(trained: Trainable, network: Network, data: DataSet, prep: Preprocess) -> None:
    """Raise `TrainingStopped` if folding changed the logits."""
    few = data.sample(64)
    (before, _), (after, _) = next(logits(trained, few, prep)), next(logits(network, few, prep))
    worst = (before - after).abs().max().item()
    if not worst <= 1e-4 * before.abs().max().clamp(min=1).item():
        raise TrainingStopped(f"Folding batch norm changed a logit by {worst:.2g}.")


def _about(
    trainer: Trainer,
    seconds: float,
    labels: Sequence[Label],
    exact: tuple[float, float],
    written: tuple[float, float],
) -> dict[str, str]:
    """The metadata, all values as text, as safetensors requires."""
    return {
        "architecture": ARCHITECTURE,
        "input": str(trainer.prep.crop),
        "widths": json.dumps(trainer.options.widths),
        "hidden": str(trainer.options.hidden),
        "mean": json.dumps(trainer.prep.mean),
        "std": json.dumps(trainer.prep.std),
        "classes": json.dumps([[label.wnid, label.label, label.synset] for label in labels]),
        "top1": f"{written[0]:.4f}",
        "top5": f"{written[1]:.4f}",
        "top1_float32": f"{exact[0]:.4f}",
        "top5_float32": f"{exact[1]:.4f}",
        "training_pictures": str(len(trainer.train)),
        "validation_pictures": str(len(trainer.val)),
        "training_sha256": trainer.train.sha256,
        "validation_sha256": trainer.val.sha256,
        "steps": str(trainer.step),
        "hours": f"{seconds / 3600:.2f}",
        "options": json.dumps(asdict(trainer.options)),
        "lineage": json.dumps(trainer.lineage.digests),
        "torch": torch.__version__,
        "layerscope": __version__,
        "revision": revision(),
    }


def revision() -> str:
    """The git commit of the code, with `-changed` if files differ; `unknown` without git."""
    try:
        commit = _git("rev-parse", "HEAD")
        return f"{commit}-changed" if _git("status", "--porcelain", "-uno") else commit
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
