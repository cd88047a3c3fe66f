"""What ships: described in full, loaded by the app, nothing half written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from app.errors import TrainingStopped
from app.pictures.preprocess import normalise
from app.services.networks.loading import load
from app.services.networks.weight_files import WeightEntry
from app.training import ship as ship_module
from app.training import trainable
from app.training.data import DataSet
from app.training.measure import logits, temperature
from app.training.options import TrainingOptions
from app.training.ship import ShippedNetwork, revision, ship
from app.training.trainer import Trainer
from app.vision.unusual import energy, max_logit
from models.classes import Label, read_labels
from models.weights import row
from tests.support.engines import CPU
from tests.support.stripes import CLASSES, PREP, SMALL

LABELS = [Label(i, name, name.title(), f"{name}, stripe") for i, name in enumerate(CLASSES)]


@pytest.fixture
def trained(make: Callable[[TrainingOptions], Trainer]) -> Trainer:
    trainer = make(SMALL)
    list(trainer.run())
    return trainer


@pytest.fixture
def shipped(trained: Trainer, tmp_path: Path) -> ShippedNetwork:
    return ship(trained, 7200, LABELS, tmp_path / "net.safetensors")


def test_metadata_is_complete(trained: Trainer, shipped: ShippedNetwork) -> None:
    with safe_open(shipped.out, "pt") as file:
        about = file.metadata()
    assert json.loads(about["classes"]) == [
        ["across", "Across", "across, stripe"],
        ["upright", "Upright", "upright, stripe"],
    ]
    assert json.loads(about["mean"]) == list(PREP.mean)
    assert json.loads(about["std"]) == list(PREP.std)
    assert json.loads(about["widths"]) == [4, 8, 8, 8, 8]
    assert json.loads(about["options"])["epochs"] == 3
    assert (about["training_sha256"], about["validation_sha256"]) == (
        trained.train.sha256,
        trained.val.sha256,
    )
    assert (about["architecture"], about["input"], about["steps"]) == ("mini", "64", "18")
    assert about["hours"] == "2.00"
    assert float(about["top1"]) == pytest.approx(shipped.top1, abs=1e-4)
    assert about["revision"] == revision()


def test_it_is_a_pure_chain_in_float16(shipped: ShippedNetwork) -> None:
    state = load_file(shipped.out)
    names = [f"conv{i}" for i in range(1, 6)] + ["fc6", "fc7"]
    assert set(state) == {f"{name}.{part}" for name in names for part in ("weight", "bias")}
    assert {value.dtype for value in state.values()} == {torch.float16}
    assert shipped.bytes == shipped.out.stat().st_size
    assert shipped.sha256 == sha256(shipped.out.read_bytes()).hexdigest()


def test_the_app_loads_what_is_exported(tmp_path: Path) -> None:
    embedded = row("mini")
    assert embedded
    labels = read_labels(embedded.labels_path)
    classes = tuple(label.wnid for label in labels)
    pixels = torch.randint(0, 256, (100, 3, 64, 64), dtype=torch.uint8)
    data = DataSet(pixels, torch.arange(100), classes, "a digest")
    trainer = Trainer(TrainingOptions(epochs=1, batch=50), data, data, PREP, CPU)
    list(trainer.run())
    made = ship(trainer, 1, labels, tmp_path / "new.safetensors")
    network = load(WeightEntry(replace(embedded, sha256=made.sha256), made.out, "ready", True))
    few = normalise(pixels[:4], PREP)
    with torch.no_grad():
        expected, found = trainer.averaged(few), network(few)
    with safe_open(made.out, "pt") as file:
        expected /= float(file.metadata()["temperature"])
    assert found.allclose(expected, atol=0.01 * expected.abs().max().item())


def test_the_calibration_is_of_these_weights_and_these_pictures(
    trained: Trainer, shipped: ShippedNetwork
) -> None:
    with safe_open(shipped.calibration, "pt") as file:
        about = file.metadata()
    assert about == {
        "weights_sha256": shipped.sha256,
        "scores_data_sha256": trained.val.sha256,
        "means_data_sha256": trained.train.sha256,
    }
    found = load_file(shipped.calibration)
    network = ship_module.assemble(SMALL, load_file(shipped.out), 2)
    with torch.no_grad():
        logits = network(normalise(trained.val.pixels, PREP))
        fed = normalise(trained.train.pixels, PREP)
        maps = network.module("conv1")(fed).relu()
    assert found["score.energy"].allclose(energy(logits).sort().values, atol=1e-4)
    assert found["score.max_logit"].allclose(max_logit(logits).sort().values, atol=1e-4)
    assert len(found["score.norm.4"]) == len(found["score.norm.5"]) == 40
    upright = maps[trained.train.labels == 1].mean((0, 2, 3))
    assert found["mean.relu1"][1].float().allclose(upright, rtol=2e-3, atol=1e-4)
    assert {name: tuple(value.shape) for name, value in found.items() if "mean" in name} == {
        "mean.relu1": (2, 4), **{f"mean.relu{i}": (2, 8) for i in range(2, 6)},
    }  # fmt: skip


def test_probabilities_fit_the_validation_pictures(
    trained: Trainer, shipped: ShippedNetwork
) -> None:
    network = ship_module.assemble(SMALL, load_file(shipped.out), 2)
    val, prep = trained.val, trained.prep
    before, after = (
        torch.cat([batch for batch, _ in logits(net, val, prep)])
        for net in (trained.averaged, network)
    )
    spread = temperature(trained.averaged, val, prep)
    assert spread != pytest.approx(1, abs=0.02)
    assert after.allclose(before / spread, atol=0.01 * after.abs().max().item())
    assert temperature(network, val, prep) == pytest.approx(1, abs=0.02)


def test_a_wrong_folding_is_not_shipped(
    trained: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = trainable.fold

    def wrong(net: object) -> dict[str, torch.Tensor]:
        state = fold(net)  # type: ignore[arg-type]
        state["conv3.bias"] += 0.1
        return state

    monkeypatch.setattr(ship_module, "fold", wrong)
    out = tmp_path / "net.safetensors"
    out.write_bytes(b"before")
    with pytest.raises(TrainingStopped, match="Folding batch norm changed a logit"):
        ship(trained, 1, LABELS, out)
    assert out.read_bytes() == b"before"
