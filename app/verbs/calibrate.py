"""`python -m app calibrate`: measure a network's scores on held-out photos, as references."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app.errors import BadRequest
from app.services.engine import device
from app.services.files import put
from app.services.networks.asset_files import content
from app.services.networks.calibration import own_path
from app.services.networks.catalogue import Catalogue
from app.services.networks.loading import load
from app.services.networks.weight_files import WeightFiles
from app.services.runs.run import preprocess
from app.settings import Settings
from app.training.held_out import calibrate
from app.verbs.terminal import Teller


def main(arguments: Sequence[str]) -> int:
    """Process the photos once and write the file; return the exit status."""
    given, settings = _parser().parse_args(arguments), Settings.from_environment()
    chosen = device.choose(given.device)
    model = Catalogue(chosen, 1, WeightFiles(settings.shelves)).model(given.model)
    if not model.labels:
        raise BadRequest(f"{model.row.title} has no classifier: its answers cannot be judged.")
    network, teller = load(model.entry).to(chosen).eval(), Teller()

    def reading(done: int, of: int) -> None:
        teller.progress(f"{done:,} of {of:,} photos")

    wnids = [label.wnid for label in model.labels]
    found = calibrate(network, given.data, preprocess(model), reading, wnids)
    tensors = {f"score.{name}": values.contiguous() for name, values in found.scores.items()}
    tensors |= {f"profile.{name}": usual.contiguous() for name, usual in found.profiles.items()}
    tensors |= {f"mean.{name}": means.half() for name, means in found.means.items()}
    about = {"scores_data_sha256": found.sha256, "pictures": str(found.used)}
    out = given.out or own_path(model, settings.data)
    put(out, content(model, tensors, about))
    skipped = f", {found.skipped} could not be read" if found.skipped else ""
    count = len(found.scores["energy"])
    teller.line(f"{found.used:,} photos were looked at{skipped}.")
    if not found.means:
        teller.line(
            "No mean responses by class: they need photos of every class, in folders named by wnid."
        )
    sys.stdout.write(f"{model.row.title}: {count:,} reference scores are in {out}.\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app calibrate",
        description="Measure a network's scores on photos that it was not trained on, of any "
        "classes, in one pass, to recognise unusual pictures. The page's question “Is it "
        "unusual?” reads the file.",
    )
    parser.add_argument("--model", default="mini", help="as `weights list` names it [mini]")
    parser.add_argument(
        "--data", type=Path, required=True,
        help="folder or zip of photos; val/ is used where there is one",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, help="where to write [calibration/ in the folder for data]"
    )
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
    return parser
