"""The three trainings behind the network that ships, in small."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from safetensors import safe_open

from scripts import mini

SMALL = ["--classes", "all", "--widths", "4,8,8,8,8", "--hidden", "16", "--batch", "20",
         "--device", "cpu", "--epochs", "1"]  # fmt: skip


def about(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        found: dict[str, str] = file.metadata()
    return found


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_two_teach_a_third_and_what_is_made_is_not_made_again(
    stripes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--data", str(stripes), "--out", str(tmp_path), *SMALL]
    assert mini.main(command) == 0
    made = {path.name for path in tmp_path.glob("*.safetensors")}
    assert {"first.safetensors", "second.safetensors", "mini.safetensors"} < made
    names = ("first.safetensors", "second.safetensors", "second.training/checkpoint.pt")
    told = about(tmp_path / "mini.safetensors")
    assert json.loads(told["lineage"]) == [digest(tmp_path / name) for name in names]
    assert json.loads(told["options"])["rate"] == 0.03
    assert json.loads(about(tmp_path / "first.safetensors")["lineage"]) == []
    capsys.readouterr()
    assert mini.main(command) == 0
    assert capsys.readouterr().err == ""


def test_where_one_training_fails_the_next_is_not_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mini.main(["--data", str(tmp_path / "none"), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("none") == 1
    assert not list(tmp_path.iterdir())
