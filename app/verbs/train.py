"""`python -m app train`: train the embedded network from a folder of pictures."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import FrameType
from typing import Any, get_args

from app.errors import BadRequest
from app.pictures.preprocess import Preprocess
from app.services.engine import device
from app.training.data import DataSet, load_splits
from app.training.options import Precision, TrainingOptions
from app.training.session import Places, Session
from app.training.ship import ShippedNetwork, ship
from app.training.teachers import read_lineage
from app.training.trainer import Trainer, TrainingProgress
from app.verbs.terminal import Teller, duration
from models.classes import Label, read_labels
from models.row import Weights
from models.weights import row

MODEL = "mini"
EVERY = 10  # steps between two progress reports


def main(arguments: Sequence[str]) -> int:
    """Train until the end or until stopped; return the exit status."""
    given = parser().parse_args(arguments)
    values = {one.name: getattr(given, one.name) for one in fields(TrainingOptions)}
    options, teller = TrainingOptions.of(values), Teller()
    chosen = device.choose(given.device)
    base = row(MODEL)
    assert base is not None
    prep = Preprocess(base.resize, base.crop, base.mean, base.std)
    labels = _labels(given.classes, base)
    # Before the pictures, which take a while: a wrong path is reported at once.
    lineage = read_lineage(given.teacher, given.start, chosen)

    def reading(what: str, done: int, of: int) -> None:
        teller.progress(f"Reading {what} pictures: {done:,} of {of:,}")

    train, val = load_splits(given.data, prep, [label.wnid for label in labels], reading)
    teller.line(f"{len(train):,} pictures to train with, {len(val):,} to examine with.")
    trainer = Trainer(options, train, val, prep, chosen, lineage)
    session = Session(trainer, Places(given.out), given.fresh)
    if session.resumed:
        teller.line(f"Going on from step {session.resumed:,} of {trainer.steps:,}.")
    try:
        with _stoppable():
            for progress in session.run():
                _tell(teller, session, progress)
    except KeyboardInterrupt:
        teller.line(
            f"Stopped at step {trainer.step:,} of {trainer.steps:,}. "
            "The same command goes on from there."
        )
        return 130
    shipped = ship(trainer, session.seconds, labels or _named(train), given.out)
    teller.line(_sentence(shipped))
    return 0


def _tell(teller: Teller, session: Session, progress: TrainingProgress) -> None:
    if row_ := progress.epoch:
        teller.line(
            f"epoch {row_.epoch:3}  loss {row_.loss:.3f}  "
            f"top-1 {row_.top1:.2%}  top-5 {row_.top5:.2%}  "
            f"after {duration(session.seconds)}, {duration(session.left(progress))} left"
        )
    elif progress.step % EVERY == 0:
        teller.progress(
            f"step {progress.step:,} of {progress.steps:,}  loss {progress.loss:.3f}  "
            f"{duration(session.left(progress))} left"
        )


def _sentence(shipped: ShippedNetwork) -> str:
    return (
        f"Written: {shipped.out} ({shipped.bytes:,} bytes), SHA-256 {shipped.sha256}.\n"
        f"With it, {shipped.calibration.name}. On the validation pictures the file's top-1 is "
        f"{shipped.top1:.2%}, its top-5 {shipped.top5:.2%}."
    )


def _labels(choice: str, base: Weights) -> list[Label]:
    """The classes to train, in order; [] means every folder."""
    if choice == "all":
        return []
    if choice == MODEL:
        return list(read_labels(base.labels_path))
    try:
        return list(read_labels(Path(choice)))
    except (OSError, KeyError, ValueError) as error:
        raise BadRequest(
            f"--classes must be {MODEL}, all, or a CSV file with the columns "
            f"index, wnid, label, synset, not {choice!r}."
        ) from error


def _named(data: DataSet) -> list[Label]:
    return [Label(index, name, name, name) for index, name in enumerate(data.classes)]


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends a training as Ctrl-C does: with a checkpoint."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def parser() -> argparse.ArgumentParser:
    """The parser of the training's options."""
    parser = argparse.ArgumentParser(
        prog="python -m app train",
        description="Train the embedded network. If interrupted, the same command resumes.",
    )
    parser.add_argument("--data", type=Path, required=True, help="ImageFolder or zip: train/, val/")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to make")
    parser.add_argument("--classes", default=MODEL, help=f"{MODEL}, all, or a CSV file [{MODEL}]")
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
    parser.add_argument("--fresh", action="store_true", help="start again, ignoring checkpoints")
    parser.add_argument(
        "--teacher", type=Path, action="append", default=[], metavar="FILE",
        help="a .safetensors file of another training to learn from; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--start", type=Path, metavar="FILE", help="start from another training's checkpoint.pt"
    )
    for one in fields(TrainingOptions):
        _add(parser, one.name, one.default, one.metadata["help"])
    return parser


def _add(parser: argparse.ArgumentParser, name: str, default: Any, help: str) -> None:
    shown = ",".join(map(str, default)) if isinstance(default, tuple) else default
    kind: Any = _integers if isinstance(default, tuple) else type(default)
    choices = get_args(Precision) if name == "precision" else None
    parser.add_argument(
        f"--{name}", type=kind, default=default, choices=choices, help=f"{help} [{shown}]"
    )


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))
