"""A checkpoint is written whole or not at all, and taken up only where it belongs."""

from __future__ import annotations

import errno
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from app.errors import TrainingStopped
from app.training.checkpoint import resume, save, write_atomically
from app.training.data import DataSet
from app.training.options import TrainingOptions
from app.training.trainer import Trainer
from tests.support.engines import CPU
from tests.support.stripes import PREP, SMALL

Make = Callable[[TrainingOptions], Trainer]


@pytest.fixture
def saved(make: Make, tmp_path: Path) -> Path:
    trainer = make(SMALL)
    for _ in zip(trainer.run(), range(4), strict=False):
        pass
    path = tmp_path / "deep" / "checkpoint.pt"
    save(path, trainer, 12.5)
    return path


def test_it_holds_everything(make: Make, saved: Path) -> None:
    trainer = make(SMALL)
    assert resume(saved, trainer) == 12.5
    assert trainer.step in (4, 5)
    again = saved.with_name("again.pt")
    save(again, trainer, 12.5)
    first, second = (torch.load(path, weights_only=True) for path in (saved, again))
    assert str(first) == str(second)


def test_other_options_are_named(make: Make, saved: Path) -> None:
    other = make(replace(SMALL, widths=(4, 8, 8, 8, 12), epochs=9))
    with pytest.raises(TrainingStopped, match=r"widths \(4, 8, 8, 8, 8\) and not .*, epochs 3 and"):
        resume(saved, other)
    assert other.step == 0


def test_other_pictures_and_another_architecture_are_refused(
    make: Make, saved: Path, splits: tuple[DataSet, DataSet]
) -> None:
    train, val = splits
    other = DataSet(train.pixels, train.labels, train.classes, "another digest")
    with pytest.raises(TrainingStopped, match="made with other pictures"):
        resume(saved, Trainer(SMALL, other, val, PREP, CPU))
    content = torch.load(saved, weights_only=True)
    torch.save({**content, "architecture": "alexnet"}, saved)
    with pytest.raises(TrainingStopped, match="a checkpoint of alexnet, not of mini"):
        resume(saved, make(SMALL))


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(Path(os.environ["BOMB"])),)


def test_damage_and_code_are_refused(
    make: Make, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOMB", str(tmp_path / "exploded"))
    whole = saved.read_bytes()
    for content in (b"", b"hello", whole[:-500], pickle.dumps(Bomb())):
        saved.write_bytes(content)
        with pytest.raises(TrainingStopped, match="not a checkpoint that can be read"):
            resume(saved, make(SMALL))
    torch.save({"some": "thing"}, saved)
    with pytest.raises(TrainingStopped, match="something else is in it"):
        resume(saved, make(SMALL))
    assert not (tmp_path / "exploded").exists()


def test_a_full_disk_leaves_what_was_there(
    make: Make, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def full(content: object, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingStopped, match=r"No space left on device.*Nothing was overwritten"):
        save(saved, make(SMALL), 0)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["checkpoint.pt"]


def test_a_folder_that_cannot_be_made_has_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TrainingStopped, match="cannot be written"):
        write_atomically(tmp_path / "file" / "x.csv", lambda part: part.write_text("x"))
