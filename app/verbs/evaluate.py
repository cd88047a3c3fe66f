"""`python -m app evaluate`: measure a network's accuracy on a folder of held-out pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app.errors import BadRequest
from app.services.engine import device
from app.services.networks.catalogue import Catalogue
from app.services.networks.loading import load
from app.services.networks.weight_files import WeightFiles
from app.services.runs.run import preprocess
from app.settings import Settings
from app.training import report
from app.training.data import load_in_parts
from app.training.evaluation import evaluate
from app.verbs.terminal import Teller


def main(arguments: Sequence[str]) -> int:
    """Evaluate, print the summary, write tables and charts to `--out`; return the exit status."""
    given = _parser().parse_args(arguments)
    chosen = device.choose(given.device)
    shelf = WeightFiles(Settings.from_environment().shelves)
    model = Catalogue(chosen, 1, shelf).model(given.model)
    if not model.labels:
        raise BadRequest(f"{model.row.title} has no classifier: it names nothing to examine.")
    network = load(model.entry).to(chosen)
    prep = preprocess(model)
    labels = {label.wnid: label.label for label in model.labels}
    teller = Teller()

    def reading(what: str, done: int, of: int) -> None:
        teller.progress(f"{done:,} of {of:,} pictures")

    parts = (part.to(chosen) for part in load_in_parts(given.data, prep, list(labels), reading))
    evaluation = evaluate(network, parts, prep, list(labels))
    title = f"{model.row.title} on {given.data.stem}"
    sys.stdout.write(report.summary(evaluation, labels, title))
    if given.out:
        report.write(given.out, evaluation, labels, title)
        teller.line(f"Tables and charts are in {given.out}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app evaluate",
        description="Evaluate a network: accuracy by class, and calibration.",
    )
    parser.add_argument(
        "--model", default="mini", help="a network, as `weights list` names it [mini]"
    )
    parser.add_argument(
        "--data", type=Path, required=True,
        help="folder or zip of pictures in folders named by wnid; val/ is used where there is one",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="a folder for tables (CSV) and charts (SVG)")
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
    return parser
