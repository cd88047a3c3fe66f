"""The stickers and the noise that ship belong to the weights that ship, and keep their word."""

from __future__ import annotations

import json

import pytest
from safetensors import safe_open

from app.pictures.samples import sample
from app.services.attacks.stickers import stickers_of
from app.services.attacks.universal import noise_of
from app.services.engine.device import choose
from app.services.networks.catalogue import Catalogue, Model
from app.vision.attacks.pixel_grid import eight_bit
from app.vision.attacks.placing import random_places, success_rate
from app.vision.attacks.sticker import random_colours
from app.vision.attacks.universal import with_noise
from models.weights import TABLE
from tests.support.attacked_networks import photos, reader

ROW = TABLE[0]
NAMES = ("mini.stickers.safetensors", "mini.universal.safetensors")
PICTURES = ("cat", "coffee", "rocket", "sketch-cat")


def mini() -> Model:
    return Catalogue(choose("cpu"), 1).model("mini")


def about(name: str) -> dict[str, str]:
    with safe_open(ROW.path.with_name(name), "pt") as file:
        found: dict[str, str] = file.metadata()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_it_names_the_weights_it_was_made_from(name: str) -> None:
    """Where this fails the weights are new: `make assets` makes the others anew."""
    told, weights = about(name), about(ROW.file)
    assert told["weights_sha256"] == ROW.sha256
    assert told["training_sha256"] and told["validation_sha256"]
    assert (told["model"], len(weights["training_sha256"])) == ("mini", 64)
    assert ROW.path.with_name(name).stat().st_size < 40_000


def test_the_metadata_of_the_stickers_is_complete_and_within_the_bars() -> None:
    told = json.loads(about(NAMES[0])["stickers"])
    assert len(told) == 3
    for one in told:
        assert {"index", "label", "pictures", "steps", "batch", "areas", "turn", "seed"} < set(one)
        measured = one["measured"]
        assert one["areas"][1] <= 0.15 and measured["tested"] >= 900
        assert measured["largest"] >= 0.8 and measured["random"] <= 0.05
    found = stickers_of(mini())
    assert not found.refused and all(one.shipped for one in found.stickers)
    assert [one.index for one in found.stickers] == [one["index"] for one in told]


def test_the_metadata_of_the_noise_is_complete() -> None:
    told = json.loads(about(NAMES[1])["universal"])
    assert {"epsilon", "passes", "batch", "seed", "pictures", "tested", "flipped"} == set(told)
    assert [one["epsilon"] for one in told["flipped"]] == [4, 8, 10]
    found = noise_of(mini())
    assert not found.refused and found.noise and found.noise.shipped
    assert found.noise.values.abs().max() == found.noise.epsilon == 10
    assert found.noise.share > 3 * found.noise.flipped[-1].random
    assert float(about(NAMES[1])["share"]) == pytest.approx(found.noise.share)


def test_a_shipped_sticker_works_on_pictures_that_nobody_trained_it_with() -> None:
    model, count = reader(), 12
    for sticker in stickers_of(mini()).stickers:
        hits = random = 0.0
        for picture in PICTURES:
            assert sample(picture)
            pixels = photos(picture).expand(count, -1, -1, -1)
            place = random_places(count, 64, (0.15, 0.15), seed=5)
            hits += success_rate(model, pixels, sticker.pixels, sticker.index, place)
            control = random_colours(sticker.pixels.shape[-1])
            random += success_rate(model, pixels, control, sticker.index, place)
        # A check of the files, not of the bar: four pictures, the sturdiest espresso among them.
        assert hits / len(PICTURES) >= 0.5 and random / len(PICTURES) <= 0.05


def test_the_shipped_noise_stays_within_its_epsilon() -> None:
    noise = noise_of(mini()).noise
    assert noise
    start = photos(*PICTURES)
    for epsilon in (4, 10):
        change = eight_bit(with_noise(start, noise.at(epsilon))).int() - start.int()
        assert change.abs().max() == epsilon
