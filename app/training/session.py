"""Runs a training to its end, with checkpoints, over any number of sessions."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from app.errors import TrainingStopped
from app.pictures import svg_charts
from app.pictures.charts import ChartAxis
from app.training import checkpoint
from app.training.trainer import EpochFigures, Trainer, TrainingProgress

CHECKPOINT_EVERY = 120.0  # seconds: the most that a power cut can lose


@dataclass(frozen=True, slots=True)
class Places:
    """The paths a training writes to: the file `out`, and a folder next to it."""

    out: Path

    @property
    def folder(self) -> Path:
        return self.out.with_name(f"{self.out.stem}.training")

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.csv"

    @property
    def chart(self) -> Path:
        return self.folder / "metrics.svg"


class Session:
    """One session of a training; `resumed` is the step it resumed from, 0 for a new training.

    Raises `TrainingStopped` if `places.out` exists without a checkpoint, or the checkpoint does not
    fit.
    """

    def __init__(self, trainer: Trainer, places: Places, fresh: bool = False) -> None:
        self.trainer, self.places = trainer, places
        self.before = 0.0
        if places.checkpoint.is_file() and not fresh:
            self.before = checkpoint.resume(places.checkpoint, trainer)
        elif places.out.exists() and not fresh:
            raise TrainingStopped(
                f"{places.out} exists already and no checkpoint of it does. "
                "Choose another --out, or --fresh to replace it at the end."
            )
        self.resumed = trainer.step
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of training so far, earlier sessions included."""
        return self.before + time.monotonic() - self._began

    def left(self, progress: TrainingProgress) -> float:
        """Estimated remaining seconds, at the speed of this session."""
        done = max(1, progress.step - self.resumed)
        return (time.monotonic() - self._began) / done * (progress.steps - progress.step)

    def run(self) -> Iterator[TrainingProgress]:
        """Run the remaining steps, saving checkpoints regularly and at the end or on an error."""
        saved = time.monotonic()
        self.save()  # Find out now, not in an hour, if files cannot be written.
        try:
            for progress in self.trainer.run():
                if progress.epoch or time.monotonic() - saved > CHECKPOINT_EVERY:
                    self.save()
                    saved = time.monotonic()
                yield progress
        except TrainingStopped:
            raise
        except BaseException:
            # Also on Ctrl-C or when the generator is closed.
            self.save()
            raise
        self.save()

    def save(self) -> None:
        """Write checkpoint, table and chart."""
        checkpoint.save(self.places.checkpoint, self.trainer, self.seconds)
        history = self.trainer.history
        checkpoint.write_text(self.places.metrics, table(history))
        checkpoint.write_text(self.places.chart, chart(history))


def table(history: list[EpochFigures]) -> str:
    """The metrics as CSV, one row per epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [one.name for one in fields(EpochFigures)], lineterminator="\n")
    writer.writeheader()
    for row in history:
        shown = {key: f"{value:.6g}" for key, value in asdict(row).items()}
        writer.writerow(shown)
    return text.getvalue()


def chart(history: list[EpochFigures]) -> str:
    """Chart of the validation accuracy by epoch, as SVG."""
    last = max(1, len(history))
    return svg_charts.lines(
        "Validation pictures recognised, running average of the weights",
        ChartAxis("epoch", 0, last),
        ChartAxis("per cent", 0, 100),
        {
            "top-5": [(row.epoch, 100 * row.top5) for row in history],
            "top-1": [(row.epoch, 100 * row.top1) for row in history],
        },
    )
