"""What tests of every kind share."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests.support.stripes import CLASSES, striped

# How long an example takes says how busy the machine is.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tiny batches gain nothing from two threads, and wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
