"""Which pictures lie in a folder, and of which class each is."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import DataUnusable
from app.services.atlas.folder import PictureFolder, class_of


def test_folders_without_pictures_have_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataUnusable, match="There is no folder"):
        PictureFolder.of(tmp_path / "nowhere")
    with pytest.raises(DataUnusable, match="holds no pictures: no file ends in"):
        PictureFolder.of(tmp_path)


def test_classes_are_folders() -> None:
    assert class_of("train/n01/images/x.jpg") == class_of("n01/x.jpg") == "n01"
    assert class_of("val/x.jpg") == class_of("x.jpg") == ""
    assert PictureFolder(Path(), ("a/1.png", "b/2.png")).classes == ("a", "b")
    assert PictureFolder(Path(), ("a/1.png", "a/2.png")).classes == ()
