"""Where pictures are found, and what is said of a data set that is not whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import DataUnusable
from app.training.folders import DataFolder, FileEntry, find, find_all, open_source, select_classes
from tests.support.stripes import zipped


def files(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def test_an_image_folder_with_splits(tmp_path: Path) -> None:
    files(tmp_path, "train/b/2.png", "train/a/1.JPEG", "train/a/notes.txt", "val/a/3.webp")
    source = open_source(tmp_path)
    assert find(source, "train") == [
        FileEntry("train/a/1.JPEG", "a"),
        FileEntry("train/b/2.png", "b"),
    ]
    assert find(source, "val") == [FileEntry("val/a/3.webp", "a")]
    assert find(source, "test") == []


@pytest.mark.parametrize("top", ["", "tiny-imagenet-200"])
def test_tiny_imagenet_as_published_in_a_folder_and_in_a_zip(tmp_path: Path, top: str) -> None:
    data = files(
        tmp_path / "data",
        "wnids.txt",
        "train/n1/images/n1_0.JPEG",
        "train/n1/n1_boxes.txt",
        "val/images/val_0.JPEG",
        "val/images/val_1.JPEG",
        "test/images/test_0.JPEG",
    )
    (data / "val/val_annotations.txt").write_text("val_0.JPEG\tn2\t0\t0\nval_1.JPEG\tn1\t0\t0\n")
    source = open_source(zipped(data, tmp_path / "data.zip", top))
    assert [one.label for one in find(source, "train")] == ["n1"]
    assert [(one.label, one.file[-10:]) for one in find(source, "val")] == [
        ("n1", "val_1.JPEG"),
        ("n2", "val_0.JPEG"),
    ]
    (data / "val/val_annotations.txt").write_text("val_0.JPEG\tn2\n")
    with pytest.raises(DataUnusable, match=r"does not say which class val/images/val_1.JPEG"):
        find(DataFolder(data), "val")


def test_a_folder_without_splits(tmp_path: Path) -> None:
    files(tmp_path, "cat/1.png", "dog/more/2.jpg", "3.png")
    assert [one.label for one in find_all(open_source(tmp_path))] == ["cat", "dog"]


def test_what_is_neither_folder_nor_zip(tmp_path: Path) -> None:
    with pytest.raises(DataUnusable, match="no folder and no zip"):
        open_source(tmp_path / "nowhere")
    half = tmp_path / "half.zip"
    half.write_bytes(b"PK\x03\x04 and then the line broke")
    with pytest.raises(DataUnusable, match="not a whole zip"):
        open_source(half)


def test_only_the_classes_wanted_are_kept() -> None:
    entries = [FileEntry("1", "a"), FileEntry("2", "b"), FileEntry("3", "a")]
    assert select_classes(entries, ["a"], "train") == [FileEntry("1", "a"), FileEntry("3", "a")]


def test_half_unpacked_data_is_told_by_the_class_that_lacks() -> None:
    entries = [FileEntry(f"{label}{i}", label) for label in "abc" for i in range(10)]
    with pytest.raises(DataUnusable, match=r"no train pictures of d, e: is it unpacked"):
        select_classes(entries, list("abcde"), "train")
    with pytest.raises(DataUnusable, match=r"most classes have 10 val pictures, c fewer"):
        select_classes(entries[:-6], list("abc"), "val")
    assert len(select_classes(entries[:-5], list("abc"), "val")) == 25
