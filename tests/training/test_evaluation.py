"""Figures of an evaluation against figures counted by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from torch import Tensor

from app.pictures.preprocess import Preprocess
from app.training import report
from app.training.data import DataSet
from app.training.evaluation import Evaluation, evaluate
from app.training.measure import temperature

PREP = Preprocess(1, 1, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
NAMES = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"]
# Seven pictures of three classes; the network below answers whatever their red value says.
SHOWN = [("bee", "bee"), ("bee", "bee"), ("bee", "dog"), ("dog", "bee"), ("dog", "gnu"),
         ("dog", "bee"), ("fox", "fox")]  # fmt: skip
DATA = ("bee", "dog", "fox")
LABELS = {name: name.title() for name in NAMES}


def network(pictures: Tensor) -> Tensor:
    """Logit 3 for the class that red names, 0.1 to 0.4 for ant to dog, less for the others."""
    said = (pictures[:, 0, 0, 0] * 255).round().long()
    logits = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.0, -1.0, -2.0]).repeat(len(said), 1)
    return logits.scatter(1, said[:, None], 3.0)


def parts(size: int) -> list[DataSet]:
    pixels = torch.zeros(len(SHOWN), 3, 1, 1, dtype=torch.uint8)
    pixels[:, 0, 0, 0] = torch.tensor([NAMES.index(said) for _, said in SHOWN])
    labels = torch.tensor([DATA.index(shown) for shown, _ in SHOWN])
    return [
        DataSet(pixels[i : i + size], labels[i : i + size], DATA, "")
        for i in range(0, len(SHOWN), size)
    ]


@pytest.fixture(params=[7, 2])
def evaluation(request: pytest.FixtureRequest) -> Evaluation:
    return evaluate(network, parts(request.param), PREP, NAMES)


def test_shares_as_counted_by_hand(evaluation: Evaluation) -> None:
    assert evaluation.pictures == 7
    assert evaluation.top1 == pytest.approx(3 / 7)
    # Among the first five are ant to eel and whoever is named; where gnu is named eel drops out.
    assert evaluation.top5 == pytest.approx(7 / 7)
    bee, dog, fox = evaluation.classes
    assert (bee.name, bee.pictures) == ("bee", 3)
    assert [bee.top1, bee.precision] == pytest.approx([2 / 3, 2 / 4])
    assert (bee.mistaken, bee.times) == ("dog", 1)
    assert (dog.top1, dog.precision, dog.mistaken, dog.times) == (0, 0, "bee", 2)
    assert (fox.top1, fox.precision, fox.mistaken, fox.times) == (1, 1, None, 0)


def test_top_five_is_five() -> None:
    labels = torch.tensor([2])
    pixels = torch.zeros(1, 3, 1, 1, dtype=torch.uint8)
    found = evaluate(network, [DataSet(pixels, labels, DATA, "")], PREP, NAMES)
    assert (found.top1, found.top5) == (0, 0)


def test_confusion_counts_answers_that_the_data_has_no_class_for(evaluation: Evaluation) -> None:
    assert evaluation.confusion.tolist() == [[2, 1, 0, 0], [2, 0, 0, 1], [0, 0, 1, 0]]


def test_calibration_as_counted_by_hand(evaluation: Evaluation) -> None:
    def sure(index: int) -> float:
        return network(torch.full((1, 3, 1, 1), index / 255)).softmax(1)[0, index].item()

    # bee 0.787, dog 0.795, gnu 0.755 and fox 0.761 all lie in the bin 11/15..12/15.
    confidences = [sure(NAMES.index(said)) for _, said in SHOWN]
    assert all(11 / 15 < one < 12 / 15 for one in confidences)
    (filled,) = [one for one in evaluation.reliability if one.count]
    assert [filled.low, filled.high] == pytest.approx([11 / 15, 12 / 15])
    assert filled.confidence == pytest.approx(sum(confidences) / 7)
    assert filled.accuracy == pytest.approx(3 / 7)
    assert evaluation.ece == pytest.approx(sum(confidences) / 7 - 3 / 7)


def test_the_temperature_is_the_one_that_fits_best() -> None:
    # The truth is drawn from softmax(2 z): the network is half as sure as it should be.
    generator = torch.Generator().manual_seed(0)
    answers = torch.randn(4000, 5, generator=generator)
    labels = torch.multinomial((2 * answers).softmax(1), 1, generator=generator).flatten()
    pixels = torch.arange(4000).view(-1, 1, 1, 1).expand(-1, 3, 1, 1)

    def known(pictures: Tensor) -> Tensor:
        return answers[(pictures[:, 0, 0, 0] * 255).round().long()]

    found = temperature(known, DataSet(pixels, labels, DATA, ""), PREP)
    assert found == pytest.approx(0.5, rel=0.05)


def test_tables_hold_the_same_figures(evaluation: Evaluation, tmp_path: Path) -> None:
    report.write(tmp_path, evaluation, LABELS, "Toy")

    def rows(name: str) -> list[list[str]]:
        with (tmp_path / name).open(newline="") as file:
            return list(csv.reader(file))

    assert rows("confusion.csv") == [
        ["is", "bee", "dog", "fox", "another"],
        ["bee", "2", "1", "0", "0"], ["dog", "2", "0", "0", "1"], ["fox", "0", "0", "1", "0"],
    ]  # fmt: skip
    assert rows("classes.csv")[1] == ["bee", "Bee", "3", "0.6667", "1.0000", "0.5000", "Dog", "1"]
    assert rows("reliability.csv")[12][2] == "7"
    text = (tmp_path / "summary.md").read_text()
    assert "| 7 | 42.86% | 100.00% |" in text
    assert "Best recognised: Fox (100%), Bee (67%), Dog (0%)." in text
    assert "Dog taken for Bee (2); Bee taken for Dog (1)." in text
    for name in ("classes", "confusion", "reliability"):
        assert (tmp_path / f"{name}.svg").read_text().startswith("<svg")
