"""Make the shipped network from the data set, in three trainings, one after another.

.venv/bin/python -m scripts.mini --data tiny-imagenet-200.zip --out made/

The first two are independent and learn from the labels. The third starts from the second's weights
and also learns from the predictions of both (knowledge distillation). If interrupted, the same
command resumes. Further options are passed to each training.
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
from app.pictures import svg_charts
from app.pictures.charts import ChartAxis
from app.training.checkpoint import write_text
from app.training.session import Places


@dataclass(frozen=True, slots=True)
class Training:
    """One of the three trainings: its teachers, the training it starts from, options of `train`.

    All other options have their defaults, the best ones found without teachers.
    """

    name: str
    options: str = ""
    teachers: tuple[str, ...] = ()
    start: str = ""

    def arguments(self, folder: Path) -> Iterator[str]:
        """The arguments of `python -m app train` without the data."""
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
    """The file that a training makes."""
    return folder / f"{name}.safetensors"


def finished(folder: Path, name: str) -> bool:
    """True if a training has written all its files: the calibration is the last."""
    return file(folder, f"{name}.calibration").exists()


def main(arguments: Sequence[str]) -> int:
    """Run the trainings; return the exit status of the one that failed, or 0."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mini", description=__doc__)
    parser.add_argument("--data", required=True, help="ImageFolder or zip: train/, val/")
    parser.add_argument("--out", type=Path, required=True, help="a folder for all that is made")
    given, more = parser.parse_known_args(arguments)
    for one in PLAN:
        if finished(given.out, one.name) and "--fresh" not in more:
            continue  # If made again, it would be another file for its students.
        common = ("--data", given.data, "--precision", "bfloat16")
        if status := app(["train", *common, *one.arguments(given.out), *more]):
            return status
    record(given.out)
    return 0


def record(folder: Path) -> None:
    """Write the metrics of all trainings by epoch: `training.csv`, `training.svg`.

    Epochs are counted on from the training that another starts from.
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
    chart = svg_charts.lines(
        "Validation pictures recognised at once, running average of the weights",
        ChartAxis("epoch", 0, max(int(row["epoch"]) for row in every)),
        ChartAxis("per cent", 0, 100),
        {
            name: [(int(row["epoch"]), 100 * float(row["top1"])) for row in found]
            for name, found in rows.items()
        },
    )
    write_text(folder / "training.svg", chart)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
