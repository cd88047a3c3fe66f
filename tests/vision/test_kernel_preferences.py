"""What a colour kernel prefers, on patterns whose colour and direction are known."""

from __future__ import annotations

import colorsys
import math

import pytest
import torch
from torch import Tensor

from app.vision.kernel_preferences import (
    ORDERS,
    Preference,
    arranged,
    hue,
    kernel_preferences,
    opponent,
    orientation,
    strength,
)
from models import registry

SIDE = 11


def gabor(degrees: float, wavelength: float = 6.0, phase: float = 0.3, side: int = SIDE) -> Tensor:
    """A grey Gabor [1,3,k,k] whose stripes run along `degrees`, anticlockwise from level."""
    axis = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    y, x = torch.meshgrid(-axis, axis, indexing="ij")  # y upwards
    angle = math.radians(degrees)
    across = -x * math.sin(angle) + y * math.cos(angle)
    envelope = torch.exp(-(x**2 + y**2) / (2 * (side / 4) ** 2))
    stripes = torch.cos(2 * math.pi * across / wavelength + phase)
    return (envelope * stripes).expand(1, 3, side, side)


def blob(red: float, green: float, blue: float) -> Tensor:
    """A round spot of one colour, [1,3,k,k]."""
    axis = torch.arange(SIDE, dtype=torch.float64) - (SIDE - 1) / 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    spot = torch.exp(-(x**2 + y**2) / 8)
    return spot * torch.tensor([red, green, blue], dtype=torch.float64).view(1, 3, 1, 1)


def turned(one: float, other: float, whole: float) -> float:
    """How far two angles are apart on a circle of `whole` degrees."""
    return abs((one - other + whole / 2) % whole - whole / 2)


@pytest.mark.parametrize("degrees", [0, 15, 30, 45, 60, 80, 90, 120, 135, 165])
@pytest.mark.parametrize("wavelength", [4.0, 6.0, 9.0])
def test_the_direction_of_a_gabor_is_found(degrees: float, wavelength: float) -> None:
    angle, coherence = orientation(gabor(degrees, wavelength))
    assert turned(angle.item(), degrees, 180) < (3.5 if wavelength < 6 else 2)
    assert coherence.item() > 0.6


def test_an_edge_and_its_negative_have_one_direction() -> None:
    edge = torch.zeros(1, 3, 5, 5)
    edge[..., 2:] = 1  # dark at the left, bright at the right: upright
    for kernel in (edge, -edge, 7 * edge):
        angle, coherence = orientation(kernel)
        assert (angle.item(), coherence.item()) == pytest.approx((90, 1))


def test_an_edge_between_colours_that_are_equally_bright_has_a_direction() -> None:
    edge = torch.zeros(1, 3, 6, 6)
    edge[:, 0, :3], edge[:, 1, 3:] = 1, 1  # red above green
    angle, coherence = orientation(edge)
    assert (angle.item(), coherence.item()) == pytest.approx((0, 1))


def test_a_round_spot_and_a_flat_kernel_have_no_direction() -> None:
    assert orientation(blob(1, 1, 1))[1].item() < 1e-9
    for flat in (torch.zeros(1, 3, 3, 3), torch.ones(1, 3, 3, 3), torch.ones(1, 3, 1, 1)):
        assert [one.item() for one in orientation(flat)] == [0, 0]


def test_coherence_by_hand() -> None:
    # One 2x2 patch, grey: gx = ((3-1) + (6-2)) / 2 = 3, gy = ((2-1) + (6-3)) / 2 = 2 in every
    # colour; a single gradient is wholly coherent and points 33.7 degrees below the level.
    kernel = torch.tensor([[1.0, 3.0], [2.0, 6.0]]).expand(1, 3, 2, 2)
    angle, coherence = orientation(kernel)
    assert coherence.item() == pytest.approx(1)
    assert angle.item() == pytest.approx(90 - math.degrees(math.atan2(2, 3)))
    # Green turned upside down: its gradient is (3, -2). J = 2(9,6;6,4) + (9,-6;-6,4).
    kernel = kernel.clone()
    kernel[:, 1] = torch.tensor([[2.0, 6.0], [1.0, 3.0]])
    assert orientation(kernel)[1].item() == pytest.approx(math.hypot(27 - 12, 2 * 6) / 39)


@pytest.mark.parametrize(
    ("rgb", "degrees"),
    [
        ((1, 0, 0), 0), ((1, 1, 0), 60), ((0, 1, 0), 120), ((0, 1, 1), 180), ((0, 0, 1), 240),
        ((1, 0, 1), 300), ((1, 0.5, 0), 30), ((0.9, 0.2, -0.4), None), ((-1, 0, 0), 180),
    ],
)  # fmt: skip
def test_the_hue_of_a_coloured_spot_is_found(
    rgb: tuple[float, float, float], degrees: float | None
) -> None:
    found, share = hue(blob(*rgb))
    if degrees is None:
        low = min(rgb)
        degrees = 360 * colorsys.rgb_to_hsv(*((one - low) / 2 for one in rgb))[0]
    # Colour circle and opponent plane agree at the six corners, to 1.2 degrees between.
    assert turned(found.item(), degrees, 360) < 1.3
    # What is left of the energy is grey: the square of the mean.
    assert share.item() == pytest.approx(1 - sum(rgb) ** 2 / 3 / sum(v * v for v in rgb))


def test_two_opposite_colours_are_named_after_the_stronger() -> None:
    kernel = torch.zeros(1, 3, 4, 4)
    kernel[:, 0, :, :2], kernel[:, 2, :, 2:] = 1, 0.4  # red at the left, less blue at the right
    red = hue(kernel)[0].item()
    kernel[:, 0, :, :2], kernel[:, 2, :, 2:] = 0.4, 1
    blue = hue(kernel)[0].item()
    assert turned(red, 0, 360) < 25
    assert turned(blue, 240, 360) < 25


def test_grey_has_no_colour() -> None:
    for grey in (gabor(30), blob(1, 1, 1), torch.zeros(1, 3, 2, 2)):
        found, share = hue(grey)
        assert share.item() == pytest.approx(0, abs=1e-12)
        assert 0 <= found.item() < 360


def test_opponent_colours_are_a_rotation() -> None:
    kernels = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(1)).double()
    energy = sum(one.square().sum((1, 2)) for one in opponent(kernels))
    assert torch.allclose(torch.as_tensor(energy), kernels.square().sum((1, 2, 3)))
    assert torch.allclose(strength(kernels).square(), torch.as_tensor(energy))


def test_each_measure_ignores_how_strong_a_kernel_is() -> None:
    kernels = torch.cat([gabor(40), blob(1, 0.2, 0)])
    weak, strong = kernel_preferences(kernels), kernel_preferences(1000 * kernels)
    for one, other in zip(weak, strong, strict=True):
        assert other.strength == pytest.approx(1000 * one.strength)
        assert (one.hue, one.colour, one.coherence) == pytest.approx(
            (other.hue, other.colour, other.coherence)
        )


def test_preferences_tell_colour_from_direction() -> None:
    both = blob(1, 0, 0)
    both = both * gabor(90, 5)[:, :1]
    found = kernel_preferences(
        torch.cat([gabor(20), blob(0, 0, 1), both, torch.zeros(1, 3, SIDE, SIDE)])
    )
    assert [(one.is_coloured, one.is_oriented) for one in found] == [
        (False, True), (True, False), (True, True), (False, False),
    ]  # fmt: skip
    assert [one.channel for one in found] == [0, 1, 2, 3]


def test_random_kernels_prefer_neither() -> None:
    random = kernel_preferences(
        registry.seeded("alexnet", last="conv1").state_dict()["conv1.weight"]
    )
    assert not any(one.is_coloured or one.is_oriented for one in random)
    # A third of the energy of pure noise lies along any axis, a little more along the best.
    mean = sum(one.colour for one in random) / len(random)
    assert 1 / 3 < mean < 0.4


def made(channel: int, **values: float) -> Preference:
    plain = {"hue": 0.0, "colour": 0.0, "orientation": 0.0, "coherence": 0.0, "strength": 1.0}
    return Preference(channel, **{**plain, **values})


def test_kernels_are_arranged_by_what_is_asked() -> None:
    found = [
        made(0, hue=200, colour=0.9, coherence=0.2, strength=2),
        made(1, hue=10, colour=0.1, orientation=80, coherence=0.9, strength=5),
        made(2, hue=20, colour=0.5, orientation=10, coherence=0.5, strength=1),
        made(3, hue=300, colour=0.4, coherence=0.4, strength=4),
    ]
    order = {by: [[k.channel for k in g] for g in arranged(found, by)] for by in ORDERS}
    assert order == {
        "number": [[0, 1, 2, 3]],
        "hue": [[2, 0], [3, 1]],
        "orientation": [[2, 1], [3, 0]],
        "strength": [[1, 3, 0, 2]],
    }
