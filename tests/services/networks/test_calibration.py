"""The calibration file: what is read of it, and when it is not believed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.services.networks.calibration import calibration, calibration_path
from app.services.networks.catalogue import Catalogue, Model
from app.services.networks.weight_files import WeightFiles
from tests.support.networks import ENTRY

CPU = torch.device("cpu")


@pytest.fixture
def mini() -> Model:
    return Catalogue(CPU, 1).model("mini")


def moved(mini: Model, folder: Path) -> Model:
    """The same network with its weights in another folder."""
    return replace(mini, entry=replace(mini.entry, path=folder / "mini.safetensors"))


def write(model: Model, digest: str, **tensors: torch.Tensor) -> Path:
    path = calibration_path(model)
    assert path
    save_file(tensors, path, {"weights_sha256": digest})
    return path


def test_the_embedded_file_is_read_as_floats_by_name(mini: Model) -> None:
    found = calibration(mini)
    assert found and ENTRY.path
    raw = load_file(ENTRY.path.with_name("mini.calibration.safetensors"))
    assert set(found.scores) == {"energy", "max_logit", "norm.4", "norm.5", "profile"}
    assert sorted(found.means) == [f"relu{i}" for i in range(1, 6)]
    assert found.means["relu5"].dtype == torch.float32
    assert found.means["relu5"].equal(raw["mean.relu5"].float())
    assert found.scores["energy"].equal(raw["score.energy"])
    assert found.about["weights_sha256"] == mini.row.sha256


def test_none_is_there_where_there_is_no_file_or_no_weights(mini: Model, tmp_path: Path) -> None:
    assert calibration(moved(mini, tmp_path)) is None
    away = replace(mini, entry=replace(mini.entry, path=None))
    assert calibration_path(away) is None and calibration(away) is None


def test_one_made_with_other_weights_is_not_believed(mini: Model, tmp_path: Path) -> None:
    here = moved(mini, tmp_path)
    means = torch.ones(100, 192)
    path = write(here, "0" * 64, **{"mean.relu5": means})
    assert calibration(here) is None
    write(here, mini.row.sha256, **{"mean.relu5": means})
    os.utime(path, ns=(1, 1))
    found = calibration(here)
    assert found and found.means["relu5"].equal(means)
    # As published, of some networks only the first digits are known.
    few = replace(
        here, entry=replace(here.entry, row=replace(here.row, sha256=here.row.sha256[:8]))
    )
    assert calibration(few) is not None


@pytest.mark.parametrize("shape", [(99, 192), (100, 191)])
def test_one_of_other_classes_or_channels_is_not_believed(
    mini: Model, tmp_path: Path, shape: tuple[int, int]
) -> None:
    here = moved(mini, tmp_path)
    write(here, mini.row.sha256, **{"mean.relu5": torch.ones(shape)})
    assert calibration(here) is None


def test_a_damaged_file_counts_as_none(
    mini: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here = moved(mini, tmp_path)
    (tmp_path / "mini.calibration.safetensors").write_bytes(b"not what it should be")
    assert calibration(here) is None
    assert "cannot be read" in caplog.text


def test_ones_own_network_has_a_file_that_is_no_network_itself(tmp_path: Path) -> None:
    own = tmp_path / "mini-tuned.safetensors"
    own.write_bytes(ENTRY.path.read_bytes() if ENTRY.path else b"")
    shelf = WeightFiles([tmp_path])
    model = Catalogue(CPU, 1, shelf).model("own-mini-tuned")
    write(model, model.row.sha256, **{"mean.relu1": torch.zeros(100, 64)})
    assert calibration(model) is not None
    assert [entry.id for entry in shelf.entries() if entry.id.startswith("own-")] == [model.id]
    assert shelf.refused() == []
