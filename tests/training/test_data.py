"""Pictures in memory: exact, of one digest whatever they were packed in."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from app.errors import DataUnusable
from app.training.data import DataSet, load_in_parts, load_splits
from tests.support.stripes import CLASSES, PREP, silent, zipped


def test_pixels_and_labels_are_those_of_the_files(
    stripes: Path, splits: tuple[DataSet, DataSet]
) -> None:
    train, val = splits
    assert (len(train), len(val), train.classes) == (120, 40, CLASSES)
    assert train.labels.tolist() == [0] * 60 + [1] * 60
    with Image.open(stripes / "val" / "upright" / "0.png") as image:
        expected = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    assert val.pixels[20].equal(expected)


def test_the_digest_is_of_content_not_of_packing(
    stripes: Path, splits: tuple[DataSet, DataSet], tmp_path: Path
) -> None:
    packed = zipped(stripes, tmp_path / "a.zip", "inside")
    train, val = load_splits(packed, PREP, list(CLASSES), silent)
    assert (train.sha256, val.sha256) == (splits[0].sha256, splits[1].sha256)
    copied = tmp_path / "copy"
    shutil.copytree(stripes, copied)
    with Image.open(copied / "val" / "across" / "7.png") as image:
        image.putpixel((0, 0), (1, 2, 3))
        image.save(copied / "val" / "across" / "7.png")
    train, val = load_splits(copied, PREP, list(CLASSES), silent)
    assert train.sha256 == splits[0].sha256
    assert val.sha256 != splits[1].sha256


def test_the_order_of_classes_is_the_one_asked_for(stripes: Path) -> None:
    train, _ = load_splits(stripes, PREP, ["upright", "across"], silent)
    assert train.classes == ("upright", "across")
    assert sorted(train.labels.tolist()[:60]) == [1] * 60


def test_a_missing_split_and_a_broken_picture_have_a_sentence(
    stripes: Path, tmp_path: Path
) -> None:
    shutil.copytree(stripes / "train", tmp_path / "train")
    with pytest.raises(DataUnusable, match="no pictures at val/<class>/"):
        load_splits(tmp_path, PREP, [], silent)
    shutil.copytree(stripes / "val", tmp_path / "val")
    broken = tmp_path / "val" / "upright" / "3.png"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(DataUnusable, match=r"val/upright/3\.png"):
        load_splits(tmp_path, PREP, [], silent)


def test_to_examine_the_validation_pictures_are_read_or_a_plain_folder(stripes: Path) -> None:
    names = ["else", *CLASSES]
    (part,) = load_in_parts(stripes, PREP, names, silent)
    assert (len(part), part.classes) == (40, CLASSES)
    (part,) = load_in_parts(stripes / "train", PREP, names, silent)
    assert len(part) == 120
    with pytest.raises(DataUnusable, match="no folder named like a class"):
        next(load_in_parts(stripes, PREP, ["else"], silent))


def test_a_sample_is_even(splits: tuple[DataSet, DataSet]) -> None:
    few = splits[0].sample(4)
    assert few.labels.tolist() == [0, 0, 1, 1]
    assert few.pixels[3].equal(splits[0].pixels[119])
