"""Covering part of a picture, and what it does."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from app.vision.cover import How, StepChange, cover

PICTURE = torch.rand(3, 28, 28, generator=torch.Generator().manual_seed(1))


def half() -> torch.Tensor:
    mask = torch.zeros(28, 28)
    mask[:, 14:] = 1
    return mask


@pytest.mark.parametrize("how", get_args(How))
def test_what_is_not_covered_stays_to_the_last_bit(how: How) -> None:
    covered = cover(PICTURE, half(), how)
    assert torch.equal(covered[:, :, :14], PICTURE[:, :, :14])
    assert not torch.equal(covered[:, :, 14:], PICTURE[:, :, 14:])
    assert covered.min() >= 0 and covered.max() <= 1
    assert torch.equal(covered, cover(PICTURE, half(), how))
    assert torch.equal(cover(PICTURE, torch.zeros(28, 28), how), PICTURE)


def test_the_ways_of_covering() -> None:
    assert (cover(PICTURE, half())[:, :, 14:] == 0.5).all()
    soft = cover(PICTURE, half() * 0.5)
    torch.testing.assert_close(soft[:, :, 14:], (PICTURE[:, :, 14:] + 0.5) / 2)
    blurred = cover(PICTURE, torch.ones(28, 28), "blur")
    assert blurred.std() < 0.6 * PICTURE.std()
    assert blurred.mean() == pytest.approx(PICTURE.mean().item(), abs=0.01)
    noises = [cover(PICTURE, half(), "noise", seed) for seed in (0, 1)]
    assert not torch.equal(*noises)
    with pytest.raises(ValueError, match="mask"):
        cover(PICTURE, torch.zeros(3, 3))


def test_how_far_a_channel_moved_by_hand() -> None:
    before = torch.tensor([[[3.0, 4.0]], [[0.0, 0.0]], [[0.0, 0.0]]])
    after = torch.tensor([[[3.0, 3.0]], [[0.0, 0.0]], [[0.0, 1.0]]])
    relative = StepChange("s", before, after).relative
    assert relative[:2].tolist() == pytest.approx([0.2, 0.0]) and relative[2] > 1
