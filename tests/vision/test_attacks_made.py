"""Stickers and noises that were made before, laid on a picture; and the climb that makes them."""

from __future__ import annotations

import pytest
import torch

from app.vision.adam_ascent import PIXEL_EPS, Ascent, cosine_decay
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.paste import Placement, covered, pasted
from app.vision.attacks.pixel_grid import linf
from app.vision.attacks.placing import logits_at, random_places, success_rate
from app.vision.attacks.sticker import place_of, random_colours, random_sticker, sticker_at_places
from app.vision.attacks.universal import scaled, universal, universal_growing
from tests.support.attacked_networks import linear, photo, pixel, reader

ROWS = [[1.0, 0.0, -1.0], [-1.0, 0.0, 1.0]]


def test_adam_climbs_by_its_rate_at_first_and_stays_within_its_bounds() -> None:
    climber = Ascent(torch.zeros(3), 0.0, eps=PIXEL_EPS, limits=(-2, 2))
    # The first step is the gradient's sign, however large it is; nothing where there is none.
    assert climber.step(torch.tensor([1e-6, -50.0, 0.0]), 1.5).tolist() == pytest.approx(
        [1.5, -1.5, 0], abs=1e-4
    )
    assert climber.step(torch.tensor([1e-6, -50.0, 0.0]), 1.5).tolist() == [2, -2, 0]


def test_a_rate_falls_along_a_cosine_to_nothing() -> None:
    assert cosine_decay(8, 0, 10) == 8
    assert cosine_decay(8, 5, 10) == pytest.approx(4)
    assert cosine_decay(8, 10, 10) == pytest.approx(0)


def test_a_sticker_touches_the_pixels_that_are_told() -> None:
    grey = torch.full((1, 3, 40, 40), 100, dtype=torch.uint8)
    white = torch.full((3, 10, 10), 255, dtype=torch.uint8)
    for place in (Placement.at(20, 20, 0.5), Placement.at(0, 0, 0.5), Placement.at(33, 7, 0.3, 40)):
        changed = (pasted(grey, white, place) != grey).any(1).float().mean()
        # A pixel that it barely touches may round to what it was.
        assert float(covered(40, place)) == pytest.approx(float(changed), abs=0.005)
    assert float(covered(40, Placement.at(-30, -30, 0.5))) == 0


def test_places_are_split_without_losing_one() -> None:
    place = random_places(10, 64, (0.1, 0.15), seed=3)
    parts = place.split(4)
    assert [len(part.x) for part in parts] == [4, 4, 2]
    for name in ("x", "y", "scale", "angle"):
        whole = torch.cat([getattr(part, name) for part in parts])
        assert whole.equal(getattr(place, name))


def test_tries_are_those_of_one_picture_after_the_other() -> None:
    model, sticker = reader(), random_colours(20)
    pixels, place = photo("cat").expand(5, -1, -1, -1), random_places(5, 64, (0.1, 0.15))
    together = torch.cat(list(logits_at(model, pixels, sticker, place, batch=2)))
    for i, where in enumerate(place.split(1)):
        shown = pasted(photo("cat"), sticker, where)
        torch.testing.assert_close(together[i : i + 1], model.logits(shown.float()))
    first = int(together[0].argmax())
    expected = (together.argmax(1) == first).double().mean()
    assert success_rate(model, pixels, sticker, first, place) == pytest.approx(float(expected))


def test_a_trained_sticker_is_shown_at_places_the_last_of_which_is_the_controls() -> None:
    cat, blue = photo("cat"), torch.zeros(3, 8, 8, dtype=torch.uint8)
    steps = list(sticker_at_places(reader(), cat, blue, 0.1, 4, seed=7))
    assert [step.number for step in steps] == [0, 1, 2, 3, 4]
    assert steps[0].pixels.equal(cat)
    assert steps[-1].pixels.equal(pasted(cat, blue, place_of(64, 0.1, 7)))
    control = random_sticker(cat, 0.1, 7)
    moved = (steps[-1].pixels != cat).any(1) ^ (control != cat).any(1)
    assert moved.float().mean() < 0.01
    places = {tuple((step.pixels == 0).all(1).nonzero().flatten().tolist()) for step in steps[1:]}
    assert len(places) == 4
    for step in steps:
        torch.testing.assert_close(step.logits, reader().logits(step.pixels.float()))


def test_a_noise_grows_in_whole_pixel_values_up_to_its_own() -> None:
    noise = torch.tensor([-10, 3, 10], dtype=torch.int8).view(3, 1, 1)
    start = pixel(100, 100, 100)

    def grown(epsilon: float, steps: int) -> list[list[int]]:
        made = universal_growing(linear(ROWS), start, noise, 10, epsilon, steps)
        return [(step.pixels.int() - 100).flatten().tolist() for step in made]

    assert grown(4, 10) == [[0, 0, 0], [-1, 0, 1], [-2, 1, 2], [-3, 1, 3], [-4, 1, 4]]
    assert grown(10, 2) == [[0, 0, 0], [-5, 2, 5], [-10, 3, 10]]
    assert grown(25, 1) == [[0, 0, 0], [-10, 3, 10]]
    assert grown(0.9, 10) == [[0, 0, 0]]
    for step in universal_growing(linear(ROWS), start, noise, 10, 7.5, 3):
        assert linf(step.pixels, start) <= 7


def test_a_scaled_noise_is_never_larger_than_epsilon_allows() -> None:
    noise = torch.tensor([-10, -6, 0, 5, 10], dtype=torch.int8)
    assert scaled(noise, 0.45, 4.5).tolist() == [-4, -3, 0, 2, 4]
    assert scaled(noise, 1, 10).tolist() == [-10, -6, 0, 5, 10]


def test_pictures_that_are_fooled_well_enough_no_longer_pull() -> None:
    # Red less blue decides. The first, an example of class 0, is taken for 1 by far; it would pull
    # the way that the second, of class 1, must not go.
    far, near = pixel(0, 0, 255), pixel(100, 0, 104)
    model, labels = linear(ROWS, scale=30.0), torch.tensor([0, 1])
    *_, made = universal(model, torch.cat([far, near]), 8, goal=AttackGoal(labels), passes=6)
    assert made.noise.flatten().tolist() == [8, 0, -8]
    assert made.reached == 1
