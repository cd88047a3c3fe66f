"""A data set of two classes that a tiny network tells apart in seconds."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from app.pictures.preprocess import Preprocess
from app.training.data import DataSet, load_splits
from app.training.options import Options
from app.training.trainer import Trainer

PREP = Preprocess(64, 64, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
CPU = torch.device("cpu")
CLASSES = ("across", "upright")
SMALL = Options(
    widths=(4, 8, 8, 8, 8), hidden=16, epochs=3, batch=20, rate=0.05, average=0.8, area=0.8,
    cutmix=0.3, turn=5.0,
)  # fmt: skip


def striped(upright: bool, chance: random.Random) -> Image.Image:
    """Stripes of random width and colours, across or upright."""
    width = chance.randrange(4, 10)
    start = chance.randrange(width)
    light, dark = (tuple(chance.randrange(low, low + 90) for _ in range(3)) for low in (160, 0))
    image = Image.new("RGB", (64, 64))
    image.putdata([
        light if ((x if upright else y) + start) // width % 2 else dark
        for y in range(64) for x in range(64)
    ])  # fmt: skip
    return image


@pytest.fixture(autouse=True)
def alone(one_thread: None) -> None:
    """All of these train on tiny batches."""


@pytest.fixture(scope="session")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ImageFolder: 60 training and 20 validation pictures of each class."""
    root, chance = tmp_path_factory.mktemp("stripes"), random.Random(1)
    for split, count in (("train", 60), ("val", 20)):
        for label in CLASSES:
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                striped(label == "upright", chance).save(folder / f"{i}.png")
    return root


def silent(what: str, done: int, of: int) -> None:
    """Nobody wants to know."""


def zipped(folder: Path, to: Path, top: str = "") -> Path:
    """The folder as a zip, under a folder `top` of its own if one is named."""
    with zipfile.ZipFile(to, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, Path(top) / path.relative_to(folder))
    return to


@pytest.fixture(scope="session")
def splits(stripes: Path) -> tuple[DataSet, DataSet]:
    return load_splits(stripes, PREP, [], silent)


@pytest.fixture
def make(splits: tuple[DataSet, DataSet]) -> Callable[[Options], Trainer]:
    """A new trainer on the stripes."""
    return lambda options: Trainer(options, *splits, PREP, CPU)
