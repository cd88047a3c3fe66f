"""Reference scores of any folder: which pictures are looked at, which half says what."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from app.errors import DataUnusable
from app.pictures.decode import decode
from app.pictures.preprocess import fit
from app.training.calibrate import References, profiles_of
from app.training.folders import DataFolder, evenly_spaced
from app.training.held_out import LEAST, calibrate, class_of, names_in
from app.vision.stages import stage_ends
from app.vision.unusual import mean_response
from models.registry import seeded
from tests.support.stripes import PREP, striped


def photos(root: Path, count: int = LEAST) -> Path:
    """Striped pictures in folders of names that no network knows."""
    chance = random.Random(3)
    for i in range(count):
        folder = root / f"class {i % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        striped(i % 2 == 0, chance).save(folder / f"{i:03}.png")
    return root


def silent(done: int, of: int) -> None:
    """Nobody wants to know."""


def test_every_second_picture_makes_the_profile_and_the_others_the_scores(tmp_path: Path) -> None:
    network, root = seeded("mini").eval(), photos(tmp_path / "photos")
    told: list[tuple[int, int]] = []
    found = calibrate(network, root, PREP, lambda done, of: told.append((done, of)))
    assert (found.used, found.skipped, told[-1]) == (LEAST, 0, (LEAST, LEAST))
    assert {len(one) for one in found.scores.values()} == {LEAST // 2}
    assert all(one.equal(one.sort().values) for one in found.scores.values())
    files = names_in(DataFolder(root))
    pixels = torch.stack([fit(decode((root / f).read_bytes()).image, PREP).pixels for f in files])
    by_hand = References(network, PREP)
    by_hand.add(pixels[1::2])
    scores = by_hand.scores(found.profiles, slice(None))
    for name, values in found.scores.items():
        assert values.allclose(scores[name], rtol=1e-4), name
    first = References(network, PREP)
    first.add(pixels[::2])
    for name, usual in first.profiles(slice(None)).items():
        assert usual.allclose(found.profiles[name], rtol=1e-3, atol=1e-5)


def test_class_means_make_the_same_kind_of_profile() -> None:
    network = seeded("mini")
    means = {name: torch.rand(4, 5) for name in stage_ends(network.steps).values()}
    profiles = profiles_of(network, means)
    assert set(profiles) == {"relu1", "relu2", "relu3"}
    assert profiles["relu1"][0].allclose(means["relu1"].mean(0))
    assert mean_response(torch.ones(1, 2, 3, 3)).tolist() == [[1, 1]]


def test_class_means_need_a_picture_of_every_class(tmp_path: Path) -> None:
    network, root = seeded("mini").eval(), photos(tmp_path / "photos")
    wnids = ["class 2", "class 0", "class 1"]
    found = calibrate(network, root, PREP, silent, wnids)
    files = sorted((root / "class 0").iterdir())
    by_hand = References(network, PREP)
    by_hand.add(torch.stack([fit(decode(f.read_bytes()).image, PREP).pixels for f in files]))
    alone = by_hand.means(torch.zeros(len(files), dtype=torch.long), 1)
    assert set(found.means) == {f"relu{i}" for i in range(1, 6)}
    for name, means in found.means.items():
        assert means.shape[0] == 3
        assert means[1].allclose(alone[name][0], rtol=1e-3, atol=1e-5)
    assert calibrate(network, root, PREP, silent, [*wnids, "n01440764"]).means == {}
    assert calibrate(network, root, PREP, silent).means == {}
    assert class_of("val/class 1/a/b.png", wnids) == 2
    assert class_of("class 1.png", wnids) == -1


def test_what_cannot_be_read_is_skipped_and_counted(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", LEAST + 1)
    whole = (root / "class 0" / "000.png").read_bytes()
    (root / "class 0" / "000.png").write_bytes(whole[: len(whole) // 2])
    (root / "class 1" / "note.png").write_text("not a picture")
    (root / "class 1" / "readme.txt").write_text("not looked at")
    found = calibrate(seeded("mini").eval(), root, PREP, silent)
    assert (found.used, found.skipped) == (LEAST, 2)


def test_too_few_pictures_have_a_sentence(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", LEAST - 1)
    with pytest.raises(DataUnusable, match=f"has {LEAST - 1} pictures that can be used"):
        calibrate(seeded("mini").eval(), root, PREP, silent)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataUnusable, match="has 0 pictures"):
        calibrate(seeded("mini").eval(), tmp_path / "empty", PREP, silent)
    with pytest.raises(DataUnusable, match="no folder and no zip"):
        calibrate(seeded("mini").eval(), tmp_path / "nowhere", PREP, silent)


def test_held_out_pictures_go_before_all_others(tmp_path: Path) -> None:
    photos(tmp_path / "train", 3)
    photos(tmp_path / "val", 4)
    names = names_in(DataFolder(tmp_path))
    assert len(names) == 4 and all(name.startswith("val/") for name in names)
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "b.JPG").write_bytes(b"")
    (flat / "a.webp").write_bytes(b"")
    assert names_in(DataFolder(flat)) == ["a.webp", "b.JPG"]


def test_some_are_taken_evenly() -> None:
    names = [str(i) for i in range(10)]
    assert evenly_spaced(names, 4) == ["0", "2", "5", "7"]
    assert evenly_spaced(names, 20) == names
    assert evenly_spaced([], 5) == []
