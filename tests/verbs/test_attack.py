"""`python -m app attack` and `attack-rates` as a person uses them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.__main__ import main
from app.pictures.samples import sample


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    made = sample("cat")
    assert made
    path = tmp_path / "cat.png"
    made.open().save(path)
    return path


def test_a_picture_is_fooled_and_fools_again(
    cat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "fooled.png"
    given = ["attack", str(cat), "--method", "pgd", "--epsilon", "8", "--device", "cpu"]
    assert main([*given, "-o", str(out)]) == 0
    told = capsys.readouterr().out
    assert "before   tabby cat" in told and "(flipped)" in told
    assert "random signs, largest change 8, not flipped" in told
    assert "at most 8 of 255" in told
    after = told.split("after    ")[1].split(",")[0]
    with Image.open(out) as written:
        assert written.size == (64, 64)
    # Given again it goes in untouched, and starts with the answer it ended with.
    assert main(["attack", str(out), "--epsilon", "0", "--device", "cpu"]) == 0
    told = capsys.readouterr().out
    assert f"before   {after}," in told
    assert "nothing happens" in told


def test_a_target_is_named(cat: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["attack", str(cat), "--epsilon", "8", "--device", "cpu"]
    assert main([*given, "--target", "school bus", "--steps", "20"]) == 0
    assert "after    " in capsys.readouterr().out
    assert main([*given, "--target", "scool bus"]) == 2
    assert "The nearest are: school bus" in capsys.readouterr().err


def test_mistakes_have_a_sentence(
    cat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, words in [
        ([str(tmp_path / "none.jpg")], "cannot be read"),
        ([str(cat), "--method", "magic"], "There are: fgsm"),
        ([str(cat), "--epsilon", "40"], "from 0 to 32"),
        ([str(cat), "--model", "resnet"], "There are: mini"),
        ([str(cat), "-o", "fooled.jpg"], "must end in .png"),
        ([str(cat), "-o", str(tmp_path / "no" / "fooled.png")], "no folder"),
    ]:
        assert main(["attack", *given]) == 2
        assert words in capsys.readouterr().err
    text = tmp_path / "text.png"
    text.write_text("no picture")
    assert main(["attack", str(text)]) == 2
    assert capsys.readouterr().err


def test_rates_are_a_table_of_the_right_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for id, folder in {"cat": "n02123045", "coffee": "n07920052", "rocket": "n07920052"}.items():
        made = sample(id)
        assert made
        (tmp_path / folder).mkdir(exist_ok=True)
        made.open().save(tmp_path / folder / f"{id}.png")
    given = ["attack-rates", "--data", str(tmp_path), "--epsilons", "8", "--device", "cpu"]
    assert main([*given, "--methods", "pgd,sign noise"]) == 0
    told = capsys.readouterr().out
    # The rocket is filed as an espresso: the network was not right about it.
    assert told.startswith("2 pictures of ")
    assert "| pgd | 8 | 100.0% | 8.0 |" in told
    assert "| sign noise | 8 | 0.0% | 8.0 |" in told
    with pytest.raises(SystemExit):
        main([*given, "--methods", "magic"])


def test_the_written_picture_is_pixel_for_pixel_what_was_predicted(
    cat: Path, tmp_path: Path
) -> None:
    out = tmp_path / "fooled.png"
    assert main(["attack", str(cat), "--epsilon", "2", "-o", str(out), "--device", "cpu"]) == 0
    clean = tmp_path / "clean.png"
    assert main(["attack", str(cat), "--epsilon", "0", "-o", str(clean), "--device", "cpu"]) == 0
    with Image.open(out) as fooled, Image.open(clean) as before:
        change = np.asarray(fooled).astype(int) - np.asarray(before).astype(int)
    assert np.abs(change).max() == 2
