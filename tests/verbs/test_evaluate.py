"""`python -m app evaluate` on pictures whose answers are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.__main__ import main
from app.pictures.samples import sample

KNOWN = {"coffee": "n07920052", "hourglass": "n03544143"}  # recognised, tested elsewhere


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """An ImageFolder of two samples; the second is also filed under a wrong name."""
    for id, folder in [*KNOWN.items(), ("hourglass", KNOWN["coffee"])]:
        made = sample(id)
        assert made
        (tmp_path / "data" / folder).mkdir(parents=True, exist_ok=True)
        made.open().save(tmp_path / "data" / folder / f"{id}.png")
    return tmp_path / "data"


def test_the_figures_of_known_pictures(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tables"
    assert main(["evaluate", "--data", str(pictures), "--out", str(out), "--device", "cpu"]) == 0
    text = capsys.readouterr().out
    assert "| 3 | 66.67% |" in text
    assert "Best recognised: hourglass (100%), espresso (50%)." in text
    assert "espresso taken for hourglass (1)" in text
    assert (out / "summary.md").read_text() == text
    assert {path.name for path in out.iterdir()} == {
        "summary.md", "classes.csv", "confusion.csv", "reliability.csv", "classes.svg",
        "confusion.svg", "reliability.svg",
    }  # fmt: skip


def test_mistakes_have_a_sentence(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--model", "resnet", "--data", str(pictures)]) == 2
    assert "There is no network called “resnet”. There are: mini" in capsys.readouterr().err
    for folder in KNOWN.values():
        (pictures / folder).rename(pictures / f"not-{folder}")
    assert main(["evaluate", "--data", str(pictures)]) == 2
    assert "no folder named like a class" in capsys.readouterr().err
