"""The labels of the embedded network stand in the order of its outputs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

MODELS = Path(__file__).resolve().parents[2] / "models"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (MODELS / "labels" / "mini.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def classes_in_header(path: Path) -> list[list[str]]:
    """`[wnid, label, synset]` of each class, from a safetensors file's JSON header alone."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    classes: list[list[str]] = json.loads(header["__metadata__"]["classes"])
    return classes


def test_there_are_a_hundred_in_order(rows: list[dict[str, str]]) -> None:
    assert [row["index"] for row in rows] == [str(index) for index in range(100)]


@pytest.mark.parametrize("column", ["wnid", "label"])
def test_no_two_are_the_same(rows: list[dict[str, str]], column: str) -> None:
    assert len({row[column] for row in rows}) == 100


def test_they_are_those_of_the_weights_file(rows: list[dict[str, str]]) -> None:
    ours = [[row["wnid"], row["label"], row["synset"]] for row in rows]
    assert ours == classes_in_header(MODELS / "weights" / "mini.safetensors")


def test_labels_are_short(rows: list[dict[str, str]]) -> None:
    labels = [row["label"] for row in rows]
    assert [label for label in labels if label != label.strip() or not 2 < len(label) <= 20] == []
