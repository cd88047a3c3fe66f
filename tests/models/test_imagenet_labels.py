"""The thousand classes of ImageNet, in the order of the published networks' outputs."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

LABELS = Path(__file__).resolve().parents[2] / "models" / "labels"


def read_rows(name: str) -> list[dict[str, str]]:
    with (LABELS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return read_rows("imagenet1k.csv")


def test_the_file_is_plain() -> None:
    content = (LABELS / "imagenet1k.csv").read_bytes()
    assert content.startswith(b"index,wnid,label,synset\n")
    assert content.endswith(b"\n")
    assert b"\r" not in content


def test_there_are_a_thousand_in_order(rows: list[dict[str, str]]) -> None:
    assert [row["index"] for row in rows] == [str(index) for index in range(1000)]


def test_wnids_ascend(rows: list[dict[str, str]]) -> None:
    wnids = [row["wnid"] for row in rows]
    assert [wnid for wnid in wnids if re.fullmatch(r"n[0-9]{8}", wnid) is None] == []
    assert wnids == sorted(wnids)


@pytest.mark.parametrize("column", ["wnid", "label"])
def test_no_two_are_the_same(rows: list[dict[str, str]], column: str) -> None:
    """Neither do two labels differ by their capitals alone."""
    assert len({row[column].casefold() for row in rows}) == 1000


def test_labels_are_short(rows: list[dict[str, str]]) -> None:
    labels = [row["label"] for row in rows]
    assert [label for label in labels if label != label.strip() or not 2 <= len(label) <= 24] == []


def test_synsets_are_lists_of_names(rows: list[dict[str, str]]) -> None:
    names = [name for row in rows for name in row["synset"].split(", ")]
    assert [name for name in names if name == "" or name != name.strip(" ,")] == []


def test_classes_of_the_embedded_network_are_named_alike(rows: list[dict[str, str]]) -> None:
    ours = {row["wnid"]: (row["label"], row["synset"]) for row in rows}
    mini = {row["wnid"]: (row["label"], row["synset"]) for row in read_rows("mini.csv")}
    assert {wnid: ours.get(wnid) for wnid in mini} == mini


@pytest.mark.parametrize(
    ("index", "wnid", "label"),
    [
        (0, "n01440764", "tench"),
        (1, "n01443537", "goldfish"),
        (134, "n02012849", "crane (bird)"),
        (151, "n02085620", "Chihuahua"),
        (281, "n02123045", "tabby cat"),
        (301, "n02165456", "ladybird"),
        (487, "n02992529", "mobile phone"),
        (517, "n03126707", "crane (machine)"),
        (639, "n03710721", "maillot (tank suit)"),
        (805, "n04254680", "football"),
        (817, "n04285008", "sports car"),
        (948, "n07742313", "Granny Smith"),
        (954, "n07753592", "banana"),
        (999, "n15075141", "toilet paper"),
    ],
)
def test_some_known_classes(rows: list[dict[str, str]], index: int, wnid: str, label: str) -> None:
    assert (rows[index]["wnid"], rows[index]["label"]) == (wnid, label)
