"""A training from the first step to the last over as many sittings as it takes."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from app.errors import TrainingStopped
from app.training import charts, checkpoint
from app.training.charts import TrainingAxis
from app.training.trainer import EpochFigures, Trainer, TrainingProgress

CHECKPOINT_EVERY = 120.0  # seconds: what a power cut costs


@dataclass(frozen=True, slots=True)
class Places:
    """Where a training writes: beside the file that it makes, in a folder of its own."""

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
    """One sitting of a training; `resumed` is the step it went on from, 0 for a new one.

    Raises `TrainingStopped` where `places.out` exists without a checkpoint, or a checkpoint does
    not fit.
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
        """Seconds of work so far, earlier sittings included."""
        return self.before + time.monotonic() - self._began

    def left(self, progress: TrainingProgress) -> float:
        """Seconds that are left at the speed of this sitting."""
        done = max(1, progress.step - self.resumed)
        return (time.monotonic() - self._began) / done * (progress.steps - progress.step)

    def run(self) -> Iterator[TrainingProgress]:
        """The steps that are left, with checkpoints on the way and however it ends."""
        saved = time.monotonic()
        self.save()  # Better to learn now than in an hour that nothing can be written.
        try:
            for progress in self.trainer.run():
                if progress.epoch or time.monotonic() - saved > CHECKPOINT_EVERY:
                    self.save()
                    saved = time.monotonic()
                yield progress
        except TrainingStopped:
            raise
        except BaseException:
            # Also when the person presses Ctrl-C or the consumer goes away.
            self.save()
            raise
        self.save()

    def save(self) -> None:
        """Checkpoint, table and chart."""
        checkpoint.save(self.places.checkpoint, self.trainer, self.seconds)
        history = self.trainer.history
        checkpoint.write_text(self.places.metrics, table(history))
        checkpoint.write_text(self.places.chart, chart(history))


def table(history: list[EpochFigures]) -> str:
    """The metrics as CSV, one row an epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [one.name for one in fields(EpochFigures)], lineterminator="\n")
    writer.writeheader()
    for row in history:
        shown = {key: f"{value:.6g}" for key, value in asdict(row).items()}
        writer.writerow(shown)
    return text.getvalue()


def chart(history: list[EpochFigures]) -> str:
    """Accuracy on the validation pictures over the epochs, as SVG."""
    last = max(1, len(history))
    return charts.lines(
        "Validation pictures recognised, running average of the weights",
        TrainingAxis("epoch", 0, last),
        TrainingAxis("per cent", 0, 100),
        {
            "top-5": [(row.epoch, 100 * row.top5) for row in history],
            "top-1": [(row.epoch, 100 * row.top1) for row in history],
        },
    )
