"""Make the network that ships from the pictures alone: three trainings, one after another.

.venv/bin/python -m scripts.mini --data tiny-imagenet-200.zip --out made/

Two learn from the labels, apart from each other. The third goes on from the second's weights and
learns from what both answer, too. Kill it and start it again: it goes on where it was. What else is
given after these two options goes to each training.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.__main__ import main as app
from app.training import charts
from app.training.charts import TrainingAxis
from app.training.checkpoint import write_text
from app.training.session import Places


@dataclass(frozen=True, slots=True)
class Training:
    """One of the three: whom it learns from, whose weights it begins with, options of `train`.

    What `options` leave out are the defaults, the best that was found without teachers.
    """

    name: str
    options: str = ""
    teachers: tuple[str, ...] = ()
    start: str = ""

    def arguments(self, folder: Path) -> Iterator[str]:
        """What `python -m app train` is given beside the data."""
        yield from ("--out", str(file(folder, self.name)), *self.options.split())
        for teacher in self.teachers:
            yield from ("--teacher", str(file(folder, teacher)))
        if self.start:
            yield from ("--start", str(Places(file(folder, self.start)).checkpoint))


PLAN = (
    Training(
        "first", "--epochs 46 --cutmix 0.35 --area 0.35 --decay 5e-4 --average 0.998 --calm 0.2"
    ),
    Training("second"),
    Training(
        "mini",
        "--epochs 20 --rate 0.03 --dropout 0.2 --decay 5e-4 --calm 0.1 --teach 0.8",
        ("first", "second"),
        "second",
    ),
)


def file(folder: Path, name: str) -> Path:
    """What a training makes."""
    return folder / f"{name}.safetensors"


def finished(folder: Path, name: str) -> bool:
    """Whether a training wrote all that it makes: the calibration comes last."""
    return file(folder, f"{name}.calibration").exists()


def main(arguments: Sequence[str]) -> int:
    """The exit status of the training that did not end well, or 0."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mini", description=__doc__)
    parser.add_argument("--data", required=True, help="ImageFolder or zip: train/, val/")
    parser.add_argument("--out", type=Path, required=True, help="a folder for all that is made")
    given, more = parser.parse_known_args(arguments)
    for one in PLAN:
        if finished(given.out, one.name) and "--fresh" not in more:
            continue  # Written again it would be another file to those who learn from it.
        common = ("--data", given.data, "--precision", "bfloat16")
        if status := app(["train", *common, *one.arguments(given.out), *more]):
            return status
    record(given.out)
    return 0


def record(folder: Path) -> None:
    """Write what was measured after each epoch of all trainings: `training.csv`, `training.svg`.

    Epochs go on from those of the training whose weights it began with.
    """
    rows: dict[str, list[dict[str, str]]] = {}
    for one in PLAN:
        before = int(rows[one.start][-1]["epoch"]) if one.start else 0
        with Places(file(folder, one.name)).metrics.open(encoding="utf-8", newline="") as metrics:
            rows[one.name] = [
                {"training": one.name, **row, "epoch": str(before + int(row["epoch"]))}
                for row in csv.DictReader(metrics)
            ]
    every = [row for found in rows.values() for row in found]
    table = io.StringIO()
    writer = csv.DictWriter(table, list(every[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(every)
    write_text(folder / "training.csv", table.getvalue())
    chart = charts.lines(
        "Validation pictures recognised at once, running average of the weights",
        TrainingAxis("epoch", 0, max(int(row["epoch"]) for row in every)),
        TrainingAxis("per cent", 0, 100),
        {
            name: [(int(row["epoch"]), 100 * float(row["top1"])) for row in found]
            for name, found in rows.items()
        },
    )
    write_text(folder / "training.svg", chart)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
