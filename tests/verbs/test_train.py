"""`python -m app train` as a person uses it: start, kill, start again, and every mistake."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from app.__main__ import main
from tests.support.stripes import zipped
from tests.support.waiting import HANG

SMALL = ["--classes", "all", "--widths", "4,8,8,8,8", "--hidden", "16", "--batch", "20",
         "--rate", "0.05", "--average", "0.8", "--area", "0.8", "--device", "cpu"]  # fmt: skip


def train(data: Path, out: Path, *more: str) -> int:
    return main(["train", "--data", str(data), "--out", str(out), *SMALL, *more])


def test_from_a_folder_to_a_file(
    stripes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "net.safetensors"
    assert train(stripes, out, "--epochs", "2") == 0
    told = capsys.readouterr().err
    assert "120 pictures to train with, 40 to examine with." in told
    assert re.search(r"epoch   2  loss \d\.\d{3}  top-1 \d+\.\d\d%  .* 0 s left", told)
    assert str(out) in told
    assert {path.name for path in out.parent.rglob("*.*") if path.is_file()} == {
        "net.safetensors", "net.calibration.safetensors", "checkpoint.pt", "metrics.csv",
        "metrics.svg",
    }  # fmt: skip
    with safe_open(out, "pt") as file:
        assert file.metadata()["classes"].startswith('[["across", "across", "across"]')
    # Started again when all is done: the same file, no step more.
    written = out.read_bytes()
    assert train(stripes, out, "--epochs", "2") == 0
    assert "Going on from step 12 of 12." in capsys.readouterr().err
    assert len(out.read_bytes()) == len(written)


def test_from_a_teacher_and_another_s_checkpoint(
    stripes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elder, out = tmp_path / "elder.safetensors", tmp_path / "net.safetensors"
    assert train(stripes, elder, "--epochs", "2") == 0
    start = tmp_path / "elder.training" / "checkpoint.pt"
    more = ["--epochs", "1", "--teacher", str(elder), "--start", str(start)]
    assert train(stripes, out, *more) == 0
    with safe_open(out, "pt") as file:
        assert len(json.loads(file.metadata()["lineage"])) == 2
    capsys.readouterr()
    assert train(stripes, out, *more[:4]) == 2
    assert "Give the same --teacher and --start to go on" in capsys.readouterr().err


def test_a_wrong_teacher_is_told_before_pictures_are_read(
    stripes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "none.safetensors")
    assert train(stripes, tmp_path / "net.safetensors", "--teacher", missing) == 2
    told = capsys.readouterr().err
    assert f"{missing} is not a network that a training made" in told
    assert "pictures" not in told


def test_killed_without_warning_it_goes_on_to_the_same_weights(
    stripes: Path, tmp_path: Path
) -> None:
    options = ["train", "--data", str(stripes), *SMALL, "--epochs", "400", "--out"]
    killed, whole = tmp_path / "killed.safetensors", tmp_path / "whole.safetensors"
    process = subprocess.Popen(
        [sys.executable, "-c", ALWAYS, *options, str(killed)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    for line in process.stderr:
        if line.startswith("epoch   2"):
            process.kill()
            break
    assert process.wait(HANG) == -signal.SIGKILL
    process.stderr.close()
    stopped = standing(killed)["step"]
    assert 12 <= stopped < 2400
    assert not killed.exists()
    for out in (killed, whole):
        command = [sys.executable, "-c", UNTIL, str(stopped + 5), *options, str(out)]
        subprocess.run(command, check=True, capture_output=True, timeout=HANG)
    first, second = standing(killed), standing(whole)
    assert first["step"] == second["step"] == stopped + 5
    pairs = zip(first["average"].values(), second["average"].values(), strict=True)
    assert all(a.equal(b) for a, b in pairs)
    assert first["history"] == second["history"]


def standing(out: Path) -> dict[str, Any]:
    """Where the training of `out` stands, by its checkpoint."""
    content = torch.load(out.with_suffix(".training") / "checkpoint.pt", weights_only=True)
    state: dict[str, Any] = content["trainer"]
    return state


ALWAYS = """
import sys, torch
from app.__main__ import main
from app.training import session
torch.set_num_threads(1)
session.CHECKPOINT_EVERY = 0
sys.exit(main(sys.argv[1:]))
"""

UNTIL = """
import sys, torch
from app.__main__ import main
from app.training.trainer import Trainer
torch.set_num_threads(1)
last, run = int(sys.argv.pop(1)), Trainer.run
def few(self):
    for progress in run(self):
        yield progress
        if progress.step == last:
            raise KeyboardInterrupt
Trainer.run = few
assert main(sys.argv[1:]) == 130
"""


def test_a_polite_kill_leaves_a_checkpoint_and_says_how_to_go_on(
    stripes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "net.safetensors"
    command = [sys.executable, "-m", "app", "train", "--data", str(stripes), "--out", str(out)]
    process = subprocess.Popen(
        [*command, *SMALL, "--epochs", "4000"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    for line in process.stderr:
        if line.startswith("epoch   1"):
            process.terminate()
            break
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait(HANG) == 130
    assert "The same command goes on from there." in told
    assert (tmp_path / "net.training" / "checkpoint.pt").is_file()


def test_mistakes_have_a_sentence_and_overwrite_nothing(
    stripes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "net.safetensors"
    assert train(tmp_path / "nowhere", out) == 2
    assert "This data cannot be used. There is no folder and no zip" in capsys.readouterr().err
    half = tmp_path / "half"
    shutil.copytree(stripes, half)
    shutil.rmtree(half / "val" / "upright")
    assert train(half, out) == 2
    assert "no val pictures of upright" in capsys.readouterr().err
    packed = zipped(stripes, tmp_path / "stripes.zip")
    packed.write_bytes(packed.read_bytes()[:5000])
    assert train(packed, out) == 2
    assert "is not a whole zip file" in capsys.readouterr().err
    assert main(["train", "--data", str(stripes), "--out", str(out)]) == 2
    assert "no train pictures of n01443537" in capsys.readouterr().err
    assert train(stripes, out, "--classes", str(tmp_path / "none.csv")) == 2
    assert "must be mini, all, or a CSV file" in capsys.readouterr().err
    assert not list(tmp_path.glob("net*"))
    out.write_bytes(b"before")
    assert train(stripes, out) == 2
    assert "exists already" in capsys.readouterr().err
    assert out.read_bytes() == b"before"


def test_another_architecture_in_the_checkpoint_is_refused(
    stripes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "net.safetensors"
    assert train(stripes, out, "--epochs", "1") == 0
    made = out.read_bytes()
    assert train(stripes, out, "--epochs", "1", "--widths", "4,8,8,8,16") == 2
    assert "widths (4, 8, 8, 8, 8) and not (4, 8, 8, 8, 16)" in capsys.readouterr().err
    assert out.read_bytes() == made


def test_values_that_make_no_sense_are_refused(
    stripes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option, value in (
        ("--epochs", "0"), ("--batch", "1"), ("--rate", "-1"), ("--widths", "1,2"),
        ("--dropout", "1"), ("--area", "0"), ("--cutmix", "2"), ("--average", "1"),
    ):  # fmt: skip
        assert train(stripes, tmp_path / "net.safetensors", option, value) == 2
        assert option.strip("-") in capsys.readouterr().err
