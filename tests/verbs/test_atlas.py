"""`python -m app atlas` from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.__main__ import main
from app.services.atlas.atlas import read_atlas


def build(images: Path, out: Path, *more: str) -> int:
    return main(
        ["atlas", "build", "--images", str(images), "--out", str(out), "--device", "cpu", *more]
    )


@pytest.fixture
def few(stripes: Path, tmp_path: Path) -> Path:
    """Two pictures of each of two classes, and one that is none."""
    for label in ("across", "upright"):
        (tmp_path / "few" / label).mkdir(parents=True)
        for i in range(2):
            data = (stripes / "train" / label / f"{i}.png").read_bytes()
            (tmp_path / "few" / label / f"{i}.png").write_bytes(data)
    (tmp_path / "few" / "across" / "odd.png").write_text("no picture")
    return tmp_path / "few"


def test_a_folder_becomes_an_atlas_and_shards_become_the_same(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(few, tmp_path / "one", "--batch", "2") == 0
    said = capsys.readouterr().err
    assert "4 pictures went in." in said and "1 could not be read" in said
    assert "across/odd.png" in said
    for i in (1, 2):
        assert build(few, tmp_path / "two", "--batch", "2", "--shard", f"{i}/2") == 0
    shards = sorted(str(path) for path in (tmp_path / "two").glob("*.atlas"))
    assert main(["atlas", "merge", *shards, "--out", str(tmp_path / "two")]) == 0
    one, two = ((tmp_path / name / "mini.atlas").read_bytes() for name in ("one", "two"))
    assert one == two
    tables = [(tmp_path / name / "mini.atlas.csv").read_text() for name in ("one", "two")]
    assert tables[0] == tables[1] and "upright/" in tables[0]
    atlas = read_atlas(tmp_path / "one" / "mini.atlas")
    shares = [atlas.preferred("conv1", c)[0][0] for c in range(64)]
    assert set(shares) == {"across", "upright"}  # edges of both kinds are looked for


def test_mistakes_have_a_sentence(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(tmp_path / "nowhere", tmp_path) == 2
    assert "There is no folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert build(tmp_path / "empty", tmp_path) == 2
    assert "holds no pictures" in capsys.readouterr().err
    assert build(few, tmp_path, "--model", "resnet") == 2
    assert "There is no network called “resnet”" in capsys.readouterr().err
    assert main(["atlas", "merge", str(tmp_path / "nothing")]) == 2
    assert "There is no atlas at" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert build(few, tmp_path / "file") == 2
    assert "cannot be written" in capsys.readouterr().err
    for shard in ("0/2", "3/2", "2"):
        with pytest.raises(SystemExit):
            build(few, tmp_path, "--shard", shard)
        assert "a shard is written 2/4" in capsys.readouterr().err
