"""`python -m app synthesize` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from app.__main__ import main
from app.services.synthesis import collection


def synthesize(out: Path, *more: str) -> int:
    return main(["synthesize", "--out", str(out), "--device", "cpu", "--steps", "3", *more])


def test_some_channels_are_made_and_then_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert synthesize(tmp_path, "--layer", "conv2", "--channels", "0-2,7", "--batch", "3") == 0
    assert "4 pictures of conv2 are in" in capsys.readouterr().err
    index = json.loads((tmp_path / collection.INDEX).read_text())
    assert set(index["pictures"]) == {"0", "1", "2", "7"}
    assert (index["model"], index["step"], index["seed"], index["steps"]) == ("mini", "conv2", 0, 3)
    assert len(index["weights"]) == 64 and index["size"] == 64
    assert index["pictures"]["7"]["objective"] > -10
    with Image.open(tmp_path / "0007.png") as picture:
        assert (picture.size, picture.mode) == ((64, 64), "RGB")
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.png")}
    (tmp_path / "0001.png").unlink()
    assert synthesize(tmp_path, "--layer", "conv2", "--channels", "0-3,7") == 0
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.png")}
    assert set(after) == {"0000.png", "0001.png", "0002.png", "0003.png", "0007.png"}
    assert all(after[name] == before[name] for name in ("0000.png", "0002.png", "0007.png"))

    def never(*_: object) -> None:
        raise AssertionError("everything is there")

    monkeypatch.setattr("app.verbs.synthesize.load", never)
    assert synthesize(tmp_path, "--layer", "conv2", "--channels", "0-3") == 0


def test_a_class_has_its_name(tmp_path: Path) -> None:
    assert synthesize(tmp_path, "--layer", "softmax", "--channels", "3") == 0
    index = json.loads((tmp_path / collection.INDEX).read_text())
    assert index["step"] == "fc7" and index["pictures"]["3"]["label"]


def test_stopped_it_keeps_what_is_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = collection.StepCollection.make

    def interrupted(self, network, batch):  # type: ignore[no-untyped-def]
        for made in make(self, network, batch):
            yield made
            if made.done == 2:
                raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(collection.StepCollection, "make", interrupted)
        assert synthesize(tmp_path, "--layer", "conv1", "--channels", "0-3", "--batch", "2") == 130
    assert "goes on" in capsys.readouterr().err
    assert len(list(tmp_path.glob("*.png"))) == 2
    assert synthesize(tmp_path, "--layer", "conv1", "--channels", "0-3", "--batch", "2") == 0
    assert len(list(tmp_path.glob("*.png"))) == 4


def test_mistakes_have_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for more, sentence in [
        (("--layer", "conv9"), "has no step “conv9”. It has: conv1, relu1"),
        (("--layer", "conv1", "--channels", "64"), "conv1 has channels 0 to 63, not 64."),
        (("--layer", "conv1", "--channels", "a"), "must be numbers and ranges (0-15,40)"),
        (("--layer", "conv1", "--channels", "9-3"), "the smaller number comes first"),
        (("--layer", "conv1", "--model", "resnet"), "There is no network called “resnet”"),
    ]:
        assert synthesize(tmp_path, *more) == 2
        assert sentence in capsys.readouterr().err
    assert synthesize(tmp_path, "--layer", "conv1", "--channels", "0") == 0
    assert synthesize(tmp_path, "--layer", "conv1", "--channels", "0", "--seed", "5") == 2
    assert "holds pictures of another seed" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert synthesize(tmp_path / "file", "--layer", "conv1", "--channels", "0") == 2
    assert "cannot be" in capsys.readouterr().err
