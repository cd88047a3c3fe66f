"""What units prefer: filters whose preference is known, and numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from app.vision.selectivity import (
    COLOURED,
    ORIENTATIONS,
    ORIENTED,
    PERIODS,
    PHASES,
    blank,
    circular_variance,
    class_selectivity,
    colour_index,
    grating,
    grey,
    has_colour,
    orientation_index,
    shared_channels,
    tuning,
)

SIDE = 15


def gabor(degrees: float, period: float = 6) -> Tensor:
    """A grey kernel [3,S,S] for stripes that stand at an angle; its numbers add up to zero."""
    half = SIDE // 2
    y, x = torch.meshgrid(torch.arange(SIDE) - half, torch.arange(SIDE) - half, indexing="ij")
    turn = math.radians(degrees)
    across = x * math.cos(turn) + y * math.sin(turn)
    envelope = torch.exp(-(x**2 + y**2) / (2 * 3.0**2))
    wave = envelope * torch.cos(2 * math.pi * across / period)
    return (wave - wave.mean()).expand(3, SIDE, SIDE)


def blob(red: float, green: float, blue: float) -> Tensor:
    """A kernel that looks for one colour, [3,S,S]."""
    return torch.tensor([red, green, blue]).view(3, 1, 1).expand(3, SIDE, SIDE) / SIDE**2


def responses(kernels: list[Tensor], pictures: Tensor) -> Tensor:
    """What a layer of these kernels says to pictures uint8 [N,3,S,S], before a ReLU, [N,C]."""
    return torch.einsum("nchw,kchw->nk", pictures.float() / 255 - 0.5, torch.stack(kernels))


def tuned(kernels: list[Tensor]) -> Tensor:
    """The tuning curves of a layer, [C,O]."""
    gratings = torch.stack(
        [
            grating(SIDE, period, 180 * turn / ORIENTATIONS, phase / PHASES)
            for period in PERIODS
            for turn in range(ORIENTATIONS)
            for phase in range(PHASES)
        ]
    )
    shape = (len(PERIODS), ORIENTATIONS, PHASES, len(kernels))
    found = responses(kernels, gratings).view(shape)
    return tuning(found, responses(kernels, blank(SIDE)[None])[0]).curve


@pytest.mark.parametrize("degrees", [0, 45, 90, 135])
def test_a_gabor_prefers_its_own_orientation(degrees: int) -> None:
    curve = tuned([gabor(degrees)])
    assert orientation_index(curve).item() > 0.9
    assert curve.argmax(1).item() * 180 // ORIENTATIONS == degrees
    assert circular_variance(curve).item() < 0.4


def test_the_period_it_likes_best_is_told() -> None:
    gratings = torch.zeros(len(PERIODS), ORIENTATIONS, PHASES, 1)
    gratings[3, 2, 1] = 5
    gratings[1, 7, 0] = 4
    found = tuning(gratings, torch.zeros(1))
    assert found.period.tolist() == [3]
    assert found.curve.argmax().item() == 2


def test_a_blob_of_colour_has_no_orientation() -> None:
    round_blob = torch.exp(
        -((torch.arange(SIDE) - 7) ** 2).view(1, SIDE, 1) / 8.0
        - ((torch.arange(SIDE) - 7) ** 2).view(1, 1, SIDE) / 8.0
    ).expand(3, SIDE, SIDE)
    curve = tuned([round_blob - round_blob.mean()])
    assert orientation_index(curve).item() < ORIENTED
    assert circular_variance(curve).item() > 0.6


def test_what_answers_to_even_grey_is_taken_off() -> None:
    gratings = torch.full((1, ORIENTATIONS, 1, 1), 2.0)
    gratings[0, 0] = 3.0
    curve = tuning(gratings, torch.tensor([2.0])).curve
    assert curve.tolist() == [[1.0] + [0.0] * (ORIENTATIONS - 1)]
    assert orientation_index(curve).item() == 1


def test_orientation_index_and_circular_variance_by_hand() -> None:
    curve = torch.tensor([[3.0, 2.0, 1.0, 2.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    assert orientation_index(curve).tolist() == pytest.approx([0.5, 0, 0])
    # 3 - 1 along the one axis, 2 - 2 along the other, of 8 in all.
    assert circular_variance(curve).tolist() == pytest.approx([1 - 2 / 8, 1, 1])


def test_a_colour_blob_prefers_colour_and_a_grey_one_does_not() -> None:
    orange = torch.tensor([255, 140, 0], dtype=torch.uint8).view(3, 1, 1).expand(3, SIDE, SIDE)
    picture = orange.contiguous()[None]
    kernels = [blob(1, 0, -1), blob(1, 1, 1)]
    index = colour_index(responses(kernels, picture), responses(kernels, grey(picture)))
    assert index[0].item() == 1
    assert index[1].item() < COLOURED


def test_the_colour_index_by_hand() -> None:
    coloured = torch.tensor([[4.0, 1.0], [2.0, -1.0], [1.0, 0.0]])
    without = torch.tensor([[1.0, 2.0], [2.0, 5.0], [0.0, 0.0]])
    # The two strongest of the first: 1 - 3/6. The second has more without: nothing goes.
    assert colour_index(coloured, without, keep=2).tolist() == pytest.approx([0.5, 0])


def test_the_class_index_by_hand() -> None:
    means = torch.tensor([[3.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    assert class_selectivity(means).tolist() == pytest.approx([0.5, 0, 0])


def test_grey_has_the_luma_of_the_standard_in_all_channels() -> None:
    picture = torch.tensor([200, 100, 50], dtype=torch.uint8).view(3, 1, 1)
    assert grey(picture).flatten().tolist() == [round(0.299 * 200 + 58.7 + 0.114 * 50)] * 3
    assert has_colour(picture)
    assert not has_colour(grey(picture))


def test_a_grating_is_what_it_says() -> None:
    upright = grating(24, 6, 0, 0.25)
    assert torch.equal(upright[0, 0], upright[0, 13])
    assert upright[0, 0, 0] == upright[0, 0, 6] == 255
    assert upright[0, 0, 3] == 0
    assert torch.equal(grating(24, 6, 90, 0.25)[0], upright[0].T)


def test_of_the_strongest_those_that_stay_are_counted() -> None:
    before = torch.tensor([[5.0, 4.0, 3.0, 0.0]])
    after = torch.tensor([[0.0, 9.0, 1.0, 8.0]])
    assert shared_channels(before, after, 2).tolist() == [1]
    assert shared_channels(before, before, 3).tolist() == [3]
