"""Training a sticker and making a noise, as verbs and makers do, with a toy network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from app.errors import BadRequest, DataUnusable
from app.services.attacks import stickers, universal
from app.services.attacks.stickers import Sticker, StickerTraining
from app.services.attacks.universal import NoiseTraining, UniversalNoise
from app.services.networks.catalogue import Catalogue
from app.vision.attacks.pixel_model import PixelModel


def colours() -> PixelModel:
    """Class 0 is the mean of red, class 1 that of blue."""
    layer = nn.Linear(3, 2, bias=False)
    layer.weight.data = torch.tensor([[20.0, 0.0, 0.0], [0.0, 0.0, 20.0]])
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), layer).eval()
    return PixelModel(network, (0, 0, 0), (1, 1, 1))


def reddish(count: int, side: int = 32, excess: int = 10) -> Tensor:
    pixels = torch.full((count, 3, side, side), 100, dtype=torch.uint8)
    pixels[:, 0] = 100 + excess
    return pixels


def test_a_sticker_reaches_its_class_and_is_measured_on_what_it_never_saw() -> None:
    model = Catalogue(torch.device("cpu"), 1).model("mini")
    recipe = stickers.StickerRecipe(steps=30, batch=4)
    # Bluish ones are taken for class 1 already: they are left out of both.
    bluish = reddish(3).flip(1)
    *training, made = stickers.train(
        model,
        colours(),
        torch.cat([reddish(5), bluish]),
        torch.cat([reddish(6), bluish]),
        1,
        recipe,
    )
    assert [one.done for one in training if isinstance(one, StickerTraining)] == list(range(1, 31))
    assert isinstance(made, Sticker)
    assert (made.index, made.label, made.pictures) == (1, model.labels[1].label, 5)
    assert made.measured.tested == 6
    assert made.measured.largest == made.measured.reached == 1
    assert made.measured.random == 0
    middle = made.pixels[:, 6:-6, 6:-6].float().mean((1, 2))
    assert middle[0] < 30 and middle[2] > 225


def test_a_training_without_pictures_says_so() -> None:
    model = Catalogue(torch.device("cpu"), 1).model("mini")
    with pytest.raises(DataUnusable, match="no picture left"):
        next(stickers.train(model, colours(), reddish(3), reddish(3), 0, stickers.StickerRecipe()))


def test_sizes_that_make_no_sense_are_refused() -> None:
    for areas in ((0.1, 0.6), (0.0, 0.1), (0.2, 0.1)):
        with pytest.raises(BadRequest, match="covers"):
            stickers.checked(stickers.StickerRecipe(areas=areas), 64)
    with pytest.raises(BadRequest, match="too small for a sticker"):
        stickers.checked(stickers.StickerRecipe(areas=(0.0001, 0.001)), 64)
    assert stickers.checked(stickers.StickerRecipe(), 64) == stickers.StickerRecipe()


def test_a_noise_is_made_and_measured_up_to_its_epsilon() -> None:
    pictures, held_out = reddish(40, 8, excess=12), reddish(7, 8, excess=14)
    recipe = universal.NoiseRecipe(epsilon=10, passes=3, batch=8)
    *making, made = universal.make(colours(), pictures, held_out, recipe)
    assert [(one.done, one.total) for one in making if isinstance(one, NoiseTraining)][-1] == (
        15,
        15,
    )
    assert isinstance(made, UniversalNoise)
    assert (made.pictures, made.tested, made.values.dtype) == (40, 7, torch.int8)
    assert [one.epsilon for one in made.flipped] == [4, 8, 10]
    # Red goes down by epsilon and blue up: 14 apart are overtaken from 8 on.
    assert [one.share for one in made.flipped] == [0, 1, 1]
    assert [one.random for one in made.flipped] == [0, 0, 0]
    assert (
        made.values.amax((1, 2)).tolist()[2] == 10 and made.values.amin((1, 2)).tolist()[0] == -10
    )


def test_the_same_seed_makes_the_same() -> None:
    def noise(seed: int) -> Tensor:
        recipe = universal.NoiseRecipe(epsilon=4, passes=1, batch=2, seed=seed)
        torch.manual_seed(0)
        pictures = torch.randint(0, 256, (9, 3, 8, 8), dtype=torch.uint8)
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
        *_, made = universal.make(
            PixelModel(network.eval(), (0, 0, 0), (1, 1, 1)), pictures, pictures, recipe
        )
        assert isinstance(made, UniversalNoise)
        return made.values

    assert noise(1).equal(noise(1)) and not noise(1).equal(noise(2))
