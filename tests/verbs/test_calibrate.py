"""`python -m app calibrate`, from a folder of pictures to what the page reads."""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from app.__main__ import main
from app.services.networks.calibration import calibration
from app.services.networks.catalogue import Catalogue
from app.services.networks.weight_files import WeightFiles
from models.weights import TABLE
from tests.support.networks import embedded, put_partial
from tests.support.stripes import striped

COUNT = 44


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos, an empty folder, a network of one's own, a part of one, a folder for data."""
    chance = random.Random(5)
    for i in range(COUNT):
        folder = tmp_path / "photos" / f"anything {i % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        striped(i % 3 == 0, chance).save(folder / f"{i:02}.png")
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    (tmp_path / "empty").mkdir()
    (tmp_path / "weights").mkdir()
    state = embedded().state_dict()
    save_file(state, tmp_path / "weights" / "mini-mine.safetensors")
    put_partial(tmp_path / "weights")
    monkeypatch.setenv("LAYERSCOPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LAYERSCOPE_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path


def catalogue(folders: Path) -> Catalogue:
    shelf = WeightFiles([folders / "weights"])
    return Catalogue(torch.device("cpu"), 1, shelf, data=folders / "data")


def run(folders: Path, data: str, *more: str, model: str = "own-mini-mine") -> int:
    given = ["--model", model, "--data", str(folders / data), "--device", "cpu", *more]
    return main(["calibrate", *given])


def test_a_folder_becomes_a_calibration_that_the_page_believes(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folders, "photos") == 0
    said = capsys.readouterr()
    assert f"{COUNT} photos were looked at, 1 could not be read." in said.err
    assert "No mean responses by class" in said.err
    assert f"{COUNT // 2} reference scores are in" in said.out
    path = folders / "data" / "calibration" / "own-mini-mine.calibration.safetensors"
    weights = (folders / "weights" / "mini-mine.safetensors").read_bytes()
    with safe_open(path, "pt") as file:
        about = file.metadata()
    assert about["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert about["pictures"] == str(COUNT)
    model = catalogue(folders).model("own-mini-mine")
    found = calibration(model)
    assert found and set(found.scores) == {"energy", "max_logit", "norm.4", "norm.5", "profile"}
    assert all(len(scores) == COUNT // 2 for scores in found.scores.values())
    # Of other weights under the same name it says nothing.
    state = embedded().state_dict()
    state["fc7.bias"] += 1
    own = folders / "weights" / "mini-mine.safetensors"
    save_file(state, own)
    os.utime(own, ns=(7, 7))
    other = catalogue(folders).model("own-mini-mine")
    assert calibration(other) is None


def test_it_can_be_written_elsewhere_and_leaves_no_half_file(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folders / "here" / "mini.safetensors"
    assert run(folders, "photos", "--out", str(out), model="mini") == 0
    assert [path.name for path in out.parent.iterdir()] == ["mini.safetensors"]
    with safe_open(out, "pt") as file:
        assert file.metadata()["weights_sha256"] == TABLE[0].sha256
    (folders / "file").write_text("in the way")
    assert run(folders, "photos", "--out", str(folders / "file" / "x.safetensors")) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "model", "sentence"),
    [
        ("nowhere", "mini", "There is no folder and no zip at"),
        ("empty", "mini", "has 0 pictures that can be used"),
        ("photos", "resnet", "There is no network called “resnet”"),
        ("photos", "own-mini-part", "has no classifier"),
        ("photos", "vgg11", "weights of VGG-11 are not on this computer"),
    ],
)
def test_mistakes_have_a_sentence(
    folders: Path, data: str, model: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folders, data, model=model) == 2
    assert sentence in capsys.readouterr().err
    assert not (folders / "data" / "calibration").exists()
