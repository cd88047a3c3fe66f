"""What befalls a picture: each stop alone, all in their order."""

from __future__ import annotations

import pytest
import torch

from app.pictures.single_transformations import blur, brightness, flip, jpeg
from app.pictures.transformations import TRANSFORMATIONS, Transformation, apply_transformations


def pixels() -> torch.Tensor:
    made = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (3, 32, 32), generator=made, dtype=torch.uint8)


def test_nothing_chosen_is_nothing_done() -> None:
    assert apply_transformations(pixels(), {}).equal(pixels())


@pytest.mark.parametrize("stop", TRANSFORMATIONS, ids=lambda stop: stop.id)
def test_every_stop_runs_over_its_whole_range(stop: Transformation) -> None:
    for strength in {stop.least, stop.start, stop.most, *stop.tried}:
        assert stop.least <= strength <= stop.most
        made = apply_transformations(pixels(), {stop.id: strength})
        assert made.shape == (3, 32, 32) and made.dtype == torch.uint8
    assert not apply_transformations(pixels(), {stop.id: stop.start}).equal(pixels())


def test_the_order_is_that_of_the_list_whatever_is_chosen_first() -> None:
    assert [one.id for one in TRANSFORMATIONS] == [
        "flip", "crop", "resize", "blur", "brightness", "screen", "jpeg",
    ]  # fmt: skip
    chosen = {"jpeg": 40.0, "brightness": 150.0, "blur": 1.0, "flip": 1.0}
    by_hand = jpeg(brightness(blur(flip(pixels()), 1), 150), 40)
    assert apply_transformations(pixels(), chosen).equal(by_hand)
    assert not apply_transformations(pixels(), chosen).equal(brightness(jpeg(pixels(), 40), 150))


def test_strengths_in_words() -> None:
    words = {one.id: one.words(one.start) for one in TRANSFORMATIONS}
    assert words["jpeg"] == "JPEG quality 75"
    assert words["flip"] == "Flip"
    assert words["blur"] == "Blur 0.8 px"
