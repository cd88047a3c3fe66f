"""Figures at sizes where the quick way is taken, against the plain one."""

from __future__ import annotations

import pytest
import torch

from app.vision.statistics import Statistics, statistics


def of(peaks: torch.Tensor) -> Statistics:
    return statistics(peaks[None])[0]


@pytest.mark.parametrize("count", [1, 3, 10, 4999, 5000, 9999])
def test_the_strongest_few_are_the_head_of_all(count: int) -> None:
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randint(-3, 4, (5000,), generator=generator).float().clamp_min(0)
    assert of(numbers).strongest(count) == of(numbers).strongest()[:count]


def test_zeros_are_counted_exactly_and_not_a_number_is_not_zero() -> None:
    maps = torch.randn(2, 3, 70, 70).clamp_min(0)
    maps[1] = 0
    maps[1, 0, 0, :7] = float("nan")
    found = [figures.zeros for figures in statistics(maps)]
    assert found == [1 - maps[0].count_nonzero().item() / maps[0].numel(), 1 - 7 / 14700]


def test_a_mean_whose_sum_overflows_is_finite() -> None:
    (figures,) = statistics(torch.full((1, 2, 4, 4), 3e38))
    assert figures.mean == pytest.approx(3e38) and figures.finite


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_one_number_that_is_not_finite_is_noticed(value: float) -> None:
    batch = torch.zeros(2, 3, 4, 4)
    batch[1, 2, 3, 1] = value
    assert [one.finite for one in statistics(batch)] == [True, False]
