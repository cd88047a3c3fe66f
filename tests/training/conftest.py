"""A data set of two classes that a tiny network tells apart after a few epochs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.training.data import DataSet, load_splits
from app.training.options import TrainingOptions
from app.training.trainer import Trainer
from tests.support.engines import CPU
from tests.support.stripes import PREP, silent


@pytest.fixture(autouse=True)
def alone(one_thread: None) -> None:
    """All of these train on tiny batches."""


@pytest.fixture(scope="session")
def splits(stripes: Path) -> tuple[DataSet, DataSet]:
    return load_splits(stripes, PREP, [], silent)


@pytest.fixture
def make(splits: tuple[DataSet, DataSet]) -> Callable[[TrainingOptions], Trainer]:
    """A new trainer on the stripes."""
    return lambda options: Trainer(options, *splits, PREP, CPU)
