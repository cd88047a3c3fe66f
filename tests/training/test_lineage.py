"""Teachers and a training to begin with: what they do, and which are refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from app.errors import TrainingStopped
from app.training.checkpoint import resume, save
from app.training.data import DataSet
from app.training.lineage import Lineage, Teacher
from app.training.options import TrainingOptions
from app.training.ship import ship
from app.training.teachers import read_lineage
from app.training.trainer import Trainer
from models.classes import Label
from tests.support.engines import CPU
from tests.support.stripes import CLASSES, PREP, SMALL

LABELS = [Label(i, name, name, name) for i, name in enumerate(CLASSES)]
LONG = replace(SMALL, epochs=15, cutmix=0.0)


@pytest.fixture(scope="module")
def elder(splits: tuple[DataSet, DataSet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished training's file; its checkpoint lies beside it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    trainer, folder = Trainer(LONG, *splits, PREP, CPU), tmp_path_factory.mktemp("elder")
    list(trainer.run())
    torch.set_num_threads(before)
    assert trainer.history[-1].top1 >= 0.95
    save(folder / "checkpoint.pt", trainer, 1.0)
    return ship(trainer, 1.0, LABELS, folder / "elder.safetensors").out


def begun(path: Path) -> Lineage:
    return read_lineage([path], None, CPU)


def wrong(data: DataSet) -> DataSet:
    """Every label is that of the other class."""
    return DataSet(data.pixels, 1 - data.labels, data.classes, data.sha256)


def test_what_teachers_say_outweighs_wrong_labels(
    splits: tuple[DataSet, DataSet], elder: Path
) -> None:
    train, val = splits
    options = replace(LONG, teach=1.0)
    taught = Trainer(options, wrong(train), val, PREP, CPU, begun(elder))
    misled = Trainer(replace(LONG, teach=0.0), wrong(train), val, PREP, CPU, begun(elder))
    for trainer in (taught, misled):
        list(trainer.run())
    assert taught.history[-1].top1 >= 0.9
    assert misled.history[-1].top1 <= 0.1


def test_without_teachers_their_share_changes_nothing(
    make: Callable[[TrainingOptions], Trainer],
) -> None:
    plain, other = make(SMALL), make(replace(SMALL, teach=1.0, heat=4.0))
    for trainer in (plain, other):
        list(trainer.run())
    assert plain.history == other.history


def test_answers_are_the_mean_of_what_the_teachers_find(elder: Path) -> None:
    (one,) = begun(elder).teachers
    other = Teacher(copy.deepcopy(one.network), one.classes, one.path)
    with torch.no_grad():
        for value in other.network.parameters():
            value.mul_(0.5)
    pictures = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    both = Lineage((one, other)).predictions(pictures, 2.0)
    apart = [(net.network(pictures) / 2).softmax(1) for net in (one, other)]
    assert torch.allclose(both, (apart[0] + apart[1]) / 2, atol=1e-6)
    assert torch.allclose(both.sum(1), torch.ones(3))


def test_it_begins_with_the_averaged_weights_of_the_other_training(
    splits: tuple[DataSet, DataSet], elder: Path
) -> None:
    start = elder.with_name("checkpoint.pt")
    trainer = Trainer(LONG, *splits, PREP, CPU, read_lineage([], start, CPU))
    there = torch.load(start, weights_only=True)["trainer"]["average"]
    for name, value in trainer.averaged.state_dict().items():
        assert value.equal(there[f"module.{name}"])
        assert value.equal(trainer.model.state_dict()[name])
    first = next(trainer.run())
    assert first.loss < 0.4  # Anew it begins near 0.7.


def test_interrupted_under_a_teacher_it_learns_the_same(
    splits: tuple[DataSet, DataSet], elder: Path, tmp_path: Path
) -> None:
    options, path = replace(SMALL, epochs=2), tmp_path / "checkpoint.pt"
    whole, first, second = (Trainer(options, *splits, PREP, CPU, begun(elder)) for _ in range(3))
    list(whole.run())
    for _ in zip(first.run(), range(4), strict=False):
        pass
    save(path, first, 1.0)
    resume(path, second)
    list(second.run())
    for a, b in zip(whole.averaged.parameters(), second.averaged.parameters(), strict=True):
        assert a.equal(b)
    other = Trainer(options, *splits, PREP, CPU)
    with pytest.raises(TrainingStopped, match="made with other teachers"):
        resume(path, other)
    assert other.step == 0


def test_a_checkpoint_from_before_there_were_teachers_goes_on(
    make: Callable[[TrainingOptions], Trainer], tmp_path: Path
) -> None:
    trainer, path = make(SMALL), tmp_path / "checkpoint.pt"
    save(path, trainer, 3.0)
    content = torch.load(path, weights_only=True)
    del content["lineage"], content["options"]["teach"], content["options"]["heat"]
    torch.save(content, path)
    assert resume(path, make(SMALL)) == 3.0


def test_what_ships_names_its_lineage(
    splits: tuple[DataSet, DataSet], elder: Path, tmp_path: Path
) -> None:
    known = begun(elder)
    trainer = Trainer(replace(SMALL, epochs=1), *splits, PREP, CPU, known)
    list(trainer.run())
    out = ship(trainer, 1.0, LABELS, tmp_path / "net.safetensors").out
    with safe_open(out, "pt") as file:
        assert json.loads(file.metadata()["lineage"]) == list(known.digests)
    assert len(known.digests[0]) == 64


def test_what_cannot_teach_or_begin_is_refused_in_words(
    splits: tuple[DataSet, DataSet], elder: Path, tmp_path: Path
) -> None:
    start = elder.with_name("checkpoint.pt")
    with pytest.raises(TrainingStopped, match="is not a network that a training made"):
        begun(start)
    with pytest.raises(TrainingStopped, match="is not a network that a training made"):
        begun(tmp_path / "none.safetensors")
    train, val = splits
    with pytest.raises(TrainingStopped, match="other classes, or in another order"):
        Trainer(SMALL, replace(train, classes=CLASSES[::-1]), val, PREP, CPU, begun(elder))
    with pytest.raises(TrainingStopped, match="--start needs the checkpoint"):
        read_lineage([], elder, CPU)
    wider = replace(SMALL, widths=(4, 8, 8, 8, 12))
    with pytest.raises(TrainingStopped, match="is of another shape"):
        Trainer(wider, train, val, PREP, CPU, read_lineage([], start, CPU))
