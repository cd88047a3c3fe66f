"""Stickers and noises in files: found, read, and refused where they are another network's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.errors import DataUnusable
from app.services.attacks import stickers, universal
from app.services.attacks.stickers import Sticker, StickerFigures
from app.services.attacks.universal import NoiseFigures, UniversalNoise
from app.services.networks import asset_files
from app.services.networks.catalogue import Catalogue, Model
from models.weights import row

BUS = 71


def mini(data: Path | None = None) -> Model:
    return Catalogue(torch.device("cpu"), 1, data=data).model("mini")


def a_sticker(index: int = BUS) -> Sticker:
    pixels = torch.arange(3 * 6 * 6, dtype=torch.uint8).view(3, 6, 6)
    label = mini().labels[index].label
    return Sticker(
        index, label, pixels, stickers.StickerRecipe(), 40, StickerFigures(10, 0.9, 0.8, 0.1)
    )


def a_noise() -> UniversalNoise:
    values = torch.full((3, 64, 64), 10, dtype=torch.int8)
    return UniversalNoise(values, universal.NoiseRecipe(), 40, 10, (NoiseFigures(10.0, 0.5, 0.1),))


def stickers_in(data: Path, *made: Sticker, name: str = "mini.own", **about: str) -> Path:
    folder = data / "stickers"
    folder.mkdir(exist_ok=True)
    tensors, told = stickers.pack(made)
    save_file(
        tensors, folder / f"{name}.safetensors", {**told, **asset_files.origin(mini()), **about}
    )
    return folder / f"{name}.safetensors"


def noise_in(data: Path, noise: UniversalNoise, **about: str) -> None:
    (data / "universal").mkdir(exist_ok=True)
    tensors, told = universal.pack(noise)
    path = data / "universal" / "mini.safetensors"
    save_file(tensors, path, {**told, **asset_files.origin(mini()), **about})


def test_the_digest_is_that_of_the_table() -> None:
    found = row("mini")
    assert found and asset_files.origin(mini())["weights_sha256"] == found.sha256


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    stickers_in(tmp_path, a_sticker(3))
    found = stickers.stickers_of(mini(tmp_path)).of(3)
    assert found and found.pixels.equal(a_sticker(3).pixels)
    assert (found.recipe, found.measured) == (a_sticker(3).recipe, a_sticker(3).measured)
    assert (found.pictures, found.shipped) == (40, False)
    noise_in(tmp_path, a_noise())
    noise = universal.noise_of(mini(tmp_path)).noise
    assert noise and noise.values.equal(a_noise().values)
    assert (noise.recipe, noise.flipped) == (a_noise().recipe, a_noise().flipped)


def test_the_operators_own_goes_before_what_ships(tmp_path: Path) -> None:
    shipped = stickers.stickers_of(mini(tmp_path))
    assert all(one.shipped for one in shipped.stickers) and len(shipped.stickers) == 3
    stickers_in(tmp_path, a_sticker())
    both = stickers.stickers_of(mini(tmp_path))
    bus = both.of(BUS)
    assert len(both.stickers) == 3 and bus and not bus.shipped
    before = universal.noise_of(mini(tmp_path)).noise
    assert before and before.shipped
    noise_in(tmp_path, a_noise())
    after = universal.noise_of(mini(tmp_path)).noise
    assert after and not after.shipped


@pytest.mark.parametrize("sha", ["", "0" * 64])
def test_a_file_of_other_weights_is_refused_in_words(tmp_path: Path, sha: str) -> None:
    path = stickers_in(tmp_path, a_sticker(3), weights_sha256=sha)
    noise_in(tmp_path, a_noise(), weights_sha256=sha)
    found = stickers.stickers_of(mini(tmp_path))
    assert found.of(3) is None and len(found.stickers) == 3
    assert [one.file for one in found.refused] == ["mini.own.safetensors"]
    assert "made from other weights than those of mini AlexNet" in found.refused[0].reason
    noises = universal.noise_of(mini(tmp_path))
    assert noises.noise and noises.noise.shipped
    assert "other weights" in noises.refused[0].reason
    with pytest.raises(DataUnusable, match="Make it again"):
        asset_files.read(path, mini())


def test_a_file_that_is_none_is_refused_and_the_others_stay(tmp_path: Path) -> None:
    path = stickers_in(tmp_path, a_sticker(3))
    path.with_name("mini.broken.safetensors").write_bytes(b"no safetensors at all")
    path.with_name("squeezenet1_1.own.safetensors").write_bytes(b"of another network")
    found = stickers.stickers_of(mini(tmp_path))
    assert found.of(3)
    assert [one.file for one in found.refused] == ["mini.broken.safetensors"]
    assert "cannot be read" in found.refused[0].reason


def test_tensors_and_words_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    wrong = a_sticker(3)
    for about in (
        {"stickers": "[]nonsense"},
        {"stickers": json.dumps([{"index": 3}])},
        {"stickers": json.dumps([{"index": 3, "label": "goldfish"}])},
    ):
        stickers_in(tmp_path, wrong, **about)
        found = stickers.stickers_of(mini(tmp_path))
        assert found.of(3) is None and "no stickers that can be read" in found.refused[0].reason
    flat = Sticker(3, "alligator", torch.zeros(3, 6, 7, dtype=torch.uint8),
        stickers.StickerRecipe(), 1,
                   StickerFigures(1, 0, 0, 0))  # fmt: skip
    stickers_in(tmp_path, flat)
    assert stickers.stickers_of(mini(tmp_path)).of(3) is None
    small = UniversalNoise(torch.zeros(3, 8, 8, dtype=torch.int8), universal.NoiseRecipe(), 1, 1,
                  (NoiseFigures(10.0, 0, 0),))  # fmt: skip
    noise_in(tmp_path, small)
    assert "no noise that can be used" in universal.noise_of(mini(tmp_path)).refused[0].reason


def test_a_noise_scales_down_in_whole_numbers() -> None:
    noise = a_noise()
    assert set(noise.at(10).flatten().tolist()) == {10}
    assert set(noise.at(4).flatten().tolist()) == {4}
    assert set(noise.at(2.9).flatten().tolist()) == {2}
    assert set(noise.at(0).flatten().tolist()) == {0}
