"""`python -m app train`: make a network of the embedded kind from a folder of pictures."""

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
from app.training.teachers import lineage
from app.training.trainer import Trainer, TrainingProgress
from app.verbs.terminal import Teller, duration
from models.classes import Label, read_labels
from models.row import Weights
from models.weights import row

MODEL = "mini"
EVERY = 10  # steps between two reports


def main(arguments: Sequence[str]) -> int:
    """Train until the end or until stopped; the exit status."""
    given = parser().parse_args(arguments)
    wanted = {one.name: getattr(given, one.name) for one in fields(TrainingOptions)}
    options, teller = TrainingOptions.of(wanted), Teller()
    chosen = device.choose(given.device)
    base = row(MODEL)
    assert base is not None
    prep = Preprocess(base.resize, base.crop, base.mean, base.std)
    labels = _labels(given.classes, base)
    # Before the pictures, which take a while: a wrong path is told at once.
    begun = lineage(given.teacher, given.start, chosen)

    def reading(what: str, done: int, of: int) -> None:
        teller.progress(f"Reading {what} pictures: {done:,} of {of:,}")

    train, val = load_splits(given.data, prep, [label.wnid for label in labels], reading)
    teller.line(f"{len(train):,} pictures to train with, {len(val):,} to examine with.")
    trainer = Trainer(options, train, val, prep, chosen, begun)
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


def _labels(wish: str, base: Weights) -> list[Label]:
    """The classes to train for, in order; [] means every folder that is there."""
    if wish == "all":
        return []
    if wish == MODEL:
        return list(read_labels(base.labels_path))
    try:
        return list(read_labels(Path(wish)))
    except (OSError, KeyError, ValueError) as error:
        raise BadRequest(
            f"--classes must be {MODEL}, all, or a CSV file with the columns "
            f"index, wnid, label, synset, not {wish!r}."
        ) from error


def _named(data: DataSet) -> list[Label]:
    return [Label(index, name, name, name) for index, name in enumerate(data.classes)]


@contextmanager
def _stoppable() -> Iterator[None]:
    """A polite kill ends a training as Ctrl-C does: with a checkpoint."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def parser() -> argparse.ArgumentParser:
    """The options of a training."""
    parser = argparse.ArgumentParser(
        prog="python -m app train",
        description="Train the embedded network anew. Kill it and start it again: it goes on.",
    )
    parser.add_argument("--data", type=Path, required=True, help="ImageFolder or zip: train/, val/")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to make")
    parser.add_argument("--classes", default=MODEL, help=f"{MODEL}, all, or a CSV file [{MODEL}]")
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
    parser.add_argument("--fresh", action="store_true", help="begin anew, whatever is there")
    parser.add_argument(
        "--teacher", type=Path, action="append", default=[], metavar="FILE",
        help="a .safetensors file of another training, to learn from too; more than one may be",
    )  # fmt: skip
    parser.add_argument(
        "--start", type=Path, metavar="FILE", help="begin with another training's checkpoint.pt"
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
