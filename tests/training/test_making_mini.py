"""The three trainings behind the network that ships, in small."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import fields
from pathlib import Path

import pytest
from safetensors import safe_open

from app.training.options import TrainingOptions
from app.verbs import train
from models.weights import TABLE
from scripts import mini

SMALL = ["--classes", "all", "--widths", "4,8,8,8,8", "--hidden", "16", "--batch", "20",
         "--device", "cpu", "--epochs", "1"]  # fmt: skip


def about(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        found: dict[str, str] = file.metadata()
    return found


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_each_learns_from_those_before_and_what_is_made_is_not_made_again(
    stripes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--data", str(stripes), "--out", str(tmp_path), *SMALL]
    assert mini.main(command) == 0
    lineage = {
        "first": [],
        "second": [],
        "mini": ["first.safetensors", "second.safetensors", "second.training/checkpoint.pt"],
    }
    for name, files in lineage.items():
        told = about(tmp_path / f"{name}.safetensors")
        assert json.loads(told["lineage"]) == [digest(tmp_path / one) for one in files]
    options = json.loads(about(tmp_path / "mini.safetensors")["options"])
    assert (options["rate"], options["teach"], options["epochs"]) == (0.03, 0.8, 1)
    with (tmp_path / "training.csv").open(encoding="utf-8", newline="") as table:
        rows = [(row["training"], row["epoch"], row["top1"]) for row in csv.DictReader(table)]
    assert [row[:2] for row in rows] == [
        ("first", "1"), ("second", "1"), ("mini", "2")
    ]  # fmt: skip
    assert all(0 <= float(row[2]) <= 1 for row in rows)
    assert (tmp_path / "training.svg").read_text(encoding="utf-8").count("<polyline") == 3
    capsys.readouterr()
    assert mini.main(command) == 0
    assert capsys.readouterr().err == ""
    # Killed between the weights and what is written beside them, it is not done yet.
    (tmp_path / "mini.calibration.safetensors").unlink()
    assert mini.main(command) == 0
    assert capsys.readouterr().err.count("Written: ") == 1
    assert (tmp_path / "mini.calibration.safetensors").exists()


def test_the_plan_is_what_made_the_network_that_ships() -> None:
    parser, last = train.parser(), mini.PLAN[-1]
    assert last.name == "mini"
    given = parser.parse_args(
        ["--data", "pictures", "--precision", "bfloat16", *last.arguments(Path("made"))]
    )
    planned = TrainingOptions.of(
        {one.name: getattr(given, one.name) for one in fields(TrainingOptions)}
    )
    told = about(TABLE[0].path)
    assert planned.differences(TrainingOptions.of(json.loads(told["options"]))) == []
    assert len(json.loads(told["lineage"])) == len([*given.teacher, given.start]) == 3
    assert (TABLE[0].top1, TABLE[0].top5) == (100 * float(told["top1"]), 100 * float(told["top5"]))


def test_where_one_training_fails_the_next_is_not_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mini.main(["--data", str(tmp_path / "none"), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("none") == 1
    assert not list(tmp_path.iterdir())
