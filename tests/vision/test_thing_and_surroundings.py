"""Whether a unit needs the thing or what lies around it."""

from __future__ import annotations

import torch

from app.vision.thing_and_surroundings import ResponseParts, covered


def parted(*channels: tuple[float, float, float]) -> ResponseParts:
    """(whole, without the thing, without the rest) of each channel."""
    return ResponseParts(*torch.tensor(channels).T)


def test_the_strongest_that_needs_only_what_is_around_is_told() -> None:
    thing, around, stronger, both = (5, 1, 5), (4, 4, 0), (4.5, 4, 1), (5, 4, 4)
    assert parted(thing, around, stronger, both).channel() == 2
    assert parted(thing, both).channel() is None


def test_one_that_hardly_responds_is_not_told() -> None:
    weak = (0.1, 0.1, 0.0)
    assert parted((5, 1, 5), (4, 1, 4), weak).channel() is None
    assert parted((0, 0, 0)).channel() is None


def test_its_rank_is_beside_the_strongest() -> None:
    assert parted((8, 1, 5), (4, 4, 0)).rank(1) == 0.5


def test_thing_and_rest_are_covered_with_grey() -> None:
    picture = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    without, alone = covered(picture, (0.25, 0, 0.75, 0.5))
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[0:4, 2:6] = True
    assert torch.equal(without[:, inside], torch.full((3, 16), 0.5))
    assert torch.equal(without[:, ~inside], picture[:, ~inside])
    assert torch.equal(alone[:, inside], picture[:, inside])
    assert torch.equal(alone[:, ~inside], torch.full((3, 48), 0.5))
