"""`python -m app assets --only synthesised`: from nothing, stopped, and gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from app.__main__ import main
from app.services.networks.asset_files import read
from app.services.networks.catalogue import Catalogue
from app.services.synthesis.collection import CollectionProgress, StepCollection
from app.verbs import synthesised_assets


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two steps of two layers, in a folder of one's own."""
    monkeypatch.setattr(synthesised_assets, "STEPS", 2)
    monkeypatch.setattr(synthesised_assets, "BATCH", 25)
    monkeypatch.setattr(synthesised_assets, "steps", lambda model: ["conv1", "fc7"])
    monkeypatch.setenv("LAYERSCOPE_DATA", str(tmp_path / "data"))


def make(out: Path) -> int:
    given = ["assets", "--only", "synthesised", "--out", str(out), "--device", "cpu"]
    return main(given)


def test_stopped_it_goes_on_with_what_is_left_and_writes_the_file_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = StepCollection.make
    made: list[CollectionProgress] = []

    def interrupted(self: StepCollection, network: object, batch: int) -> object:
        for one in real(self, network, batch):  # type: ignore[arg-type]
            made.append(one)
            yield one
            if self.step == "conv1" and one.done == 50:
                raise KeyboardInterrupt

    monkeypatch.setattr(StepCollection, "make", interrupted)
    assert make(tmp_path) == 130
    assert not list(tmp_path.glob("*.safetensors"))
    monkeypatch.setattr(StepCollection, "make", real)
    assert make(tmp_path) == 0
    assert "164 synthesised pictures, 2 steps each" in capsys.readouterr().err
    pictures = list((tmp_path / "data" / "assets").rglob("conv1/*.png"))
    assert len(pictures) == 64
    model = Catalogue(torch.device("cpu"), 1).model("mini")
    asset = read(tmp_path / "mini.synthesised.safetensors", model)
    assert len(asset.tensors["objective.conv1"]) == 64
    assert len(asset.tensors["objective.fc7"]) == 100
    assert asset.tensors["sheet.fc7"].dtype == torch.uint8

    def never(*_: object) -> object:
        raise AssertionError("everything is there")
        yield

    monkeypatch.setattr("app.services.synthesis.collection.synthesise", never)
    assert make(tmp_path) == 0
    again = read(tmp_path / "mini.synthesised.safetensors", model)
    assert all(again.tensors[name].equal(value) for name, value in asset.tensors.items())


def test_the_others_need_the_data_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assets", "--device", "cpu"]) == 2
    assert "--data" in capsys.readouterr().err
