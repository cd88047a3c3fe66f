"""`python -m app sticker`, `universal` and `assets` from the command line to their files."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from app.__main__ import main
from app.services.attacks import stickers, universal
from app.services.networks import asset_files
from app.services.networks.catalogue import Catalogue, Model
from app.verbs import assets as verb
from app.verbs import sticker as sticker_verb
from app.verbs import universal as universal_verb
from app.verbs.asset_making import AssetContent, AssetInputs
from models.weights import row


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Fifteen small pictures, two of them no pictures at all, in a folder and one below."""
    folder, chance = tmp_path / "photos", random.Random(1)
    (folder / "more").mkdir(parents=True)
    for i in range(13):
        plain(chance).save(folder / ("more" if i % 2 else "") / f"{i}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "empty.jpg").touch()
    return folder


def plain(chance: random.Random) -> Image.Image:
    """Two colours, one above the other."""
    image = Image.new("RGB", (80, 70), tuple(chance.randrange(256) for _ in range(3)))
    image.paste(tuple(chance.randrange(256) for _ in range(3)), (0, 0, 80, chance.randrange(70)))
    return image


def mini(data: Path | None = None) -> Model:
    return Catalogue(torch.device("cpu"), 1, data=data).model("mini")


def about(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        found: dict[str, str] = file.metadata()
    return found


def test_a_sticker_is_trained_written_and_found_again(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LAYERSCOPE_DATA", str(tmp_path / "data"))
    given = ["sticker", "--images", str(photos), "--target", "pizza", "--steps", "2",
             "--batch", "2", "--size", "2.54", "--device", "cpu"]  # fmt: skip
    assert main(given) == 0
    told = capsys.readouterr().err
    assert "10 pictures to make it with, 3 held out. 2 cannot be read" in told
    assert "pizza: covering 15% at a random place" in told
    file = tmp_path / "data" / "stickers" / "mini.pizza.safetensors"
    found = stickers.stickers_of(mini(tmp_path / "data")).of(96)
    assert found and not found.shipped and found.recipe.steps == 2 and found.measured.tested == 3
    written = row("mini")
    assert written and about(file)["weights_sha256"] == written.sha256
    with Image.open(file.with_suffix(".png")) as printable:
        assert (printable.size, printable.mode) == ((300, 300), "RGBA")
        assert printable.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert "2.54 cm wide" in printable.info["Description"]
        alpha = printable.getchannel("A")
        assert (alpha.getpixel((0, 0)), alpha.getpixel((150, 150))) == (0, 255)
    first = found.pixels
    assert main([*given, "--seed", "1"]) == 0
    other = stickers.stickers_of(mini(tmp_path / "data")).of(96)
    assert other and not other.pixels.equal(first)
    assert main(given) == 0
    again = stickers.stickers_of(mini(tmp_path / "data")).of(96)
    assert again and again.pixels.equal(first)


def test_a_noise_is_made_written_and_found_again(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "universal" / "mini.safetensors"
    given = ["universal", "--images", str(photos), "--epsilon", "6", "--passes", "1",
             "--batch", "4", "-o", str(out), "--device", "cpu"]  # fmt: skip
    assert main(given) == 0
    told = capsys.readouterr().err
    assert "at epsilon 4 (random signs" in told and "at epsilon 6 (random signs" in told
    noise = universal.noise_of(mini(tmp_path)).noise
    assert noise and noise.epsilon == 6 and 0 < noise.values.abs().max() <= 6
    assert (noise.pictures, noise.tested) == (10, 3)
    told_in_file = about(out)
    assert (told_in_file["epsilon"], told_in_file["share"]) == ("6", f"{noise.share:.4f}")
    with Image.open(out.with_suffix(".png")) as preview:
        assert preview.size == (256, 256)
        red, value = preview.getpixel((0, 0))[0], int(noise.values[0, 0, 0])  # type: ignore[index]
        assert red == round(127.5 + value / 6 * 127.5)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["sticker", "--target", "scool bus"], "The nearest are: school bus"),
        (["sticker", "--target", "pizza", "--area", "70"], "0 to 50 %"),
        (["sticker", "--target", "pizza", "--size", "50"], "0.5 to 20 cm"),
        (["sticker", "--target", "pizza", "-o", "made.png"], "must end in .safetensors"),
        (["universal", "--epsilon", "40"], "between 1 and 32"),
        (["universal", "--model", "resnet"], "There are: mini"),
        (["universal", "--model", "vgg16"], "weights get vgg16"),
    ],
)
def test_mistakes_have_a_sentence(
    photos: Path, more: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*more, "--images", str(photos), "--device", "cpu"]) == 2
    assert words in capsys.readouterr().err


def test_a_folder_that_is_missing_empty_or_too_small_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "few").mkdir()
    plain(random.Random(2)).save(tmp_path / "few" / "one.png")
    for folder, words in (("none", "no folder"), ("empty", "no pictures"), ("few", "at least 10")):
        for given in (["universal"], ["sticker", "--target", "pizza"]):
            assert main([*given, "--images", str(tmp_path / folder), "--device", "cpu"]) == 2
            assert words in capsys.readouterr().err


def test_ctrl_c_leaves_nothing_half_written(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stopped(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(universal_verb, "make", stopped)
    monkeypatch.setattr(sticker_verb, "train", stopped)
    for given in (["universal"], ["sticker", "--target", "pizza"]):
        out = tmp_path / "made.safetensors"
        status = main([*given, "--images", str(photos), "-o", str(out), "--device", "cpu"])
        assert status == 130 and not out.exists()
        assert "nothing was written" in capsys.readouterr().err


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """Two tiny pictures of each class in train and one in val."""
    chance = random.Random(3)
    for split, count in (("train", 2), ("val", 1)):
        for label in mini().labels:
            folder = tmp_path / "data" / split / label.wnid
            folder.mkdir(parents=True)
            for i in range(count):
                plain(chance).resize((8, 8)).save(folder / f"{i}.png")
    return tmp_path / "data"


def test_assets_makes_every_file_anew(
    data_set: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sticker_verb, "RECIPE", stickers.StickerRecipe(steps=1, batch=2))
    monkeypatch.setattr(universal_verb, "RECIPE", universal.NoiseRecipe(passes=1))
    out = tmp_path / "out"
    given = ["assets", "--data", str(data_set), "--out", str(out), "--device", "cpu"]
    assert main([*given, "--only", "stickers", "--only", "universal"]) == 0
    told = capsys.readouterr().err
    assert "stickers: making" in told and "3 stickers: school bus" in told and "after " in told
    weights = asset_files.origin(mini())["weights_sha256"]
    for name in ("mini.stickers.safetensors", "mini.universal.safetensors"):
        found = about(out / name)
        assert found["weights_sha256"] == weights and len(found["validation_sha256"]) == 64
        assert (out / name).stat().st_mode & 0o777 == 0o644
    first = load_file(out / "mini.universal.safetensors")["noise"]
    assert main([*given, "--only", "universal"]) == 0
    assert load_file(out / "mini.universal.safetensors")["noise"].equal(first)


def test_assets_makes_only_what_is_asked_and_keeps_the_old_when_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(work: AssetInputs) -> AssetContent:
        return AssetContent({"one": torch.ones(1)}, {"told": work.model.id}, "One is one.")

    def stopped(work: AssetInputs) -> AssetContent:
        raise KeyboardInterrupt

    table = (verb.Asset("good", "a.safetensors", make), verb.Asset("bad", "b.safetensors", stopped))
    monkeypatch.setattr(verb, "ASSETS", table)
    (tmp_path / "b.safetensors").write_bytes(b"as it was")
    given = ["assets", "--data", str(tmp_path), "--out", str(tmp_path), "--device", "cpu"]
    assert main([*given, "--only", "good"]) == 0
    assert about(tmp_path / "a.safetensors")["told"] == "mini"
    assert "One is one." in capsys.readouterr().err
    assert main(given) == 130
    assert (tmp_path / "b.safetensors").read_bytes() == b"as it was"
    assert "b.safetensors stays as it was" in capsys.readouterr().err
    assert main([*given, "--only", "ugly"]) == 2
    assert "There are: good, bad" in capsys.readouterr().err


def test_assets_without_the_data_set_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("stickers", "universal"):
        given = ["assets", "--data", str(tmp_path / "none.zip"), "--only", name]
        assert main([*given, "--out", str(tmp_path), "--device", "cpu"]) == 2
        assert "no folder and no zip" in capsys.readouterr().err
