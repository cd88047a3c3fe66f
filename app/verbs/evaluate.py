"""`python -m app evaluate`: examine a network on a folder of pictures that it has not seen."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app.errors import UnknownModel
from app.pictures.preprocess import Preprocess
from app.services import device
from app.services.weights import load
from app.training import report
from app.training.data import in_parts
from app.training.evaluation import evaluate
from app.verbs.terminal import Teller
from models.classes import read_labels
from models.weights import TABLE, row


def main(arguments: Sequence[str]) -> int:
    """Examine, show the summary, write tables and charts where asked; the exit status."""
    given = _parser().parse_args(arguments)
    known = row(given.model)
    if known is None:
        there = ", ".join(one.id for one in TABLE)
        raise UnknownModel(f"There is no network called “{given.model[:60]}”. There are: {there}.")
    chosen = device.choose(given.device)
    network = load(known).to(chosen)
    prep = Preprocess(known.resize, known.crop, known.mean, known.std)
    labels = {label.wnid: label.label for label in read_labels(known.labels_path)}
    teller = Teller()

    def reading(what: str, done: int, of: int) -> None:
        teller.progress(f"{done:,} of {of:,} pictures")

    parts = (part.to(chosen) for part in in_parts(given.data, prep, list(labels), reading))
    evaluation = evaluate(network, parts, prep, list(labels))
    title = f"{known.title} on {given.data.stem}"
    sys.stdout.write(report.summary(evaluation, labels, title))
    if given.out:
        report.write(given.out, evaluation, labels, title)
        teller.line(f"Tables and charts are in {given.out}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app evaluate",
        description="Examine a network: how often it is right, class by class, and how sure.",
    )
    parser.add_argument("--model", default="mini", help="a network of the table [mini]")
    parser.add_argument(
        "--data", type=Path, required=True,
        help="folder or zip of pictures in folders named by wnid; val/ is used where there is one",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="a folder for tables (CSV) and charts (SVG)")
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
    return parser
