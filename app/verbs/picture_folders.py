"""Loads the pictures of any folder for one network, split into training and held-out ones.

For the verbs that make a noise or a sticker; also their common options and progress report.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from app.errors import BadRequest, DataUnusable, NoClassifier
from app.pictures.preprocess import Preprocess
from app.services.atlas.folder import PictureFolder, read_ahead
from app.services.attacks.pixel_model import pixel_model_of
from app.services.engine import device
from app.services.networks.catalogue import Catalogue, Model
from app.services.networks.loading import load
from app.services.networks.weight_files import WeightFiles
from app.services.runs.run import preprocess
from app.settings import Settings
from app.verbs.terminal import Teller, duration, positive
from app.vision.attacks.pixel_model import PixelModel

BATCH = 32
HELD_OUT = 0.2
LEAST = 10
"""Fewest pictures, of which two are held out."""


@dataclass(frozen=True, slots=True)
class PictureSplit:
    """Pictures to train with and to measure with, uint8 [N,3,S,S], and the unreadable count."""

    pictures: Tensor
    held_out: Tensor
    unreadable: int


@dataclass(frozen=True, slots=True)
class ChosenNetwork:
    """The network of `--model` as a pixel model on the device of `--device`."""

    model: Model
    reader: PixelModel
    settings: Settings = field(default_factory=Settings)


def load_network(given: argparse.Namespace) -> ChosenNetwork:
    """Load the chosen network.

    Raises `UnknownModel`, `NoClassifier`, `WeightsMissing`, `WeightsRefused`.
    """
    settings, where = Settings.from_environment(), device.choose(given.device)
    model = Catalogue(where, 1, WeightFiles(settings.shelves)).model(given.model)
    if not model.labels:
        raise NoClassifier(f"{model.row.title} has no classifier: there is nothing to fool.")
    network = load(model.entry).to(where).eval().requires_grad_(False)
    return ChosenNetwork(model, pixel_model_of(model, network), settings)


def load_pictures(
    images: Path, model: Model, count: int, seed: int, teller: Teller
) -> PictureSplit:
    """Load up to `count` evenly spaced pictures of a folder; a random fifth is held out.

    Raises `DataUnusable` if there is no folder or too few pictures can be read.
    """
    folder = PictureFolder.of(images)
    total = len(folder.names)
    count = min(count, total)
    names = tuple(folder.names[i * total // count] for i in range(count))
    pixels, unreadable = _read(PictureFolder(folder.path, names), preprocess(model), teller)
    if len(pixels) < LEAST:
        raise DataUnusable(
            f"{images} holds {len(pixels)} pictures that can be read ({unreadable} cannot): "
            f"at least {LEAST} are needed, a thousand are better."
        )
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(pixels), generator=generator)
    held_out = max(1, round(HELD_OUT * len(pixels)))
    bad = f" {unreadable:,} cannot be read and were left out." if unreadable else ""
    teller.line(f"{len(pixels) - held_out:,} pictures to make it with, {held_out:,} held out.{bad}")
    return PictureSplit(pixels[order[held_out:]], pixels[order[:held_out]], unreadable)


def _read(folder: PictureFolder, prep: Preprocess, teller: Teller) -> tuple[Tensor, int]:
    total, started = len(folder.names), time.monotonic()
    batches = [range(start, min(start + BATCH, total)) for start in range(0, total, BATCH)]
    parts, unreadable, done = [torch.empty(0, 3, prep.crop, prep.crop, dtype=torch.uint8)], 0, 0
    for batch in read_ahead(folder, batches, prep, os.cpu_count() or 1):
        if len(batch.numbers):
            parts.append(batch.pixels)
        unreadable += len(batch.unreadable)
        done += len(batch.numbers) + len(batch.unreadable)
        left = (time.monotonic() - started) * (total - done) / done
        teller.progress(f"{done:,} of {total:,} pictures read, {duration(left)} left")
    return torch.cat(parts), unreadable


class ProgressReport:
    """Reports progress with the estimated remaining time."""

    def __init__(self, teller: Teller, what: str = "") -> None:
        self._teller, self._what = teller, what
        self._began: tuple[float, int] | None = None

    def tell(self, done: int, total: int, reached: float) -> None:
        """Report step `done` of `total`; `reached` is the success rate on the last batch, 0..1."""
        # Timed from the first step on: the preparation takes a different time.
        since, first = self._began = self._began or (time.monotonic(), done)
        left = (time.monotonic() - since) * (total - done) / (done - first or 1)
        self._teller.progress(
            f"{self._what}step {done:,} of {total:,}, {reached:.0%} of the last pictures"
            + (f", {duration(left)} left" if done > first else "")
        )


def check_out(path: Path, suffix: str) -> None:
    """Check the output path before minutes of work. Raises `BadRequest`."""
    if path.suffix.lower() != suffix:
        raise BadRequest(f"{path} must end in {suffix}.")
    if path.exists() and not path.is_file():
        raise BadRequest(f"{path} is no file.")


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every verb that makes something from a folder."""
    parser.add_argument("--model", default="mini", help="as `weights list` names it [mini]")
    parser.add_argument("--images", type=Path, required=True, help="a folder of any pictures")
    parser.add_argument(
        "--count", type=positive, default=1500, help="pictures of it, evenly spaced [1500]"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the random numbers [0]")
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
