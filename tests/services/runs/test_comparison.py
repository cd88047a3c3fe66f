"""Two runs beside each other: pairs, distances and orders, against brute force."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from app.errors import UnknownStep
from app.services.runs.comparison import ComparedSide, MapComparison
from app.services.runs.runs import Runs

STEPS = ("conv3", "relu3", "pool5")


async def half(runs: Runs, model: str, image: str, step: str) -> ComparedSide:
    async with runs.listen(model, image) as run:
        await run.finish()
        return ComparedSide(run, await run.record(step))


def relative(a: Tensor, b: Tensor) -> float:
    """Cell by cell, in Python's own numbers."""
    one, other = a.flatten().tolist(), b.flatten().tolist()
    apart = math.fsum((y - x) ** 2 for x, y in zip(one, other, strict=True))
    whole = math.fsum(x * x for x in one) + math.fsum(y * y for y in other)
    return math.sqrt(apart / whole) if whole else 0.0


@pytest.mark.parametrize("step", STEPS)
async def test_the_ranking_is_that_of_brute_force(runs: Runs, step: str) -> None:
    here, there = await half(runs, "mini", "coffee", step), await half(runs, "mini", "cat", step)
    made = MapComparison(here, there)
    a, b = here.run.tensor(step), there.run.tensor(step)
    assert made.pairing == "channels"
    expected = [relative(x, y) for x, y in zip(a, b, strict=True)]
    assert [made.row(i).relative for i in range(len(a))] == pytest.approx(expected, abs=1e-6)
    order = made.order("relative")
    assert sorted(order) == list(range(len(a)))
    assert order[:5] == made.order("relative", 5)
    for one, other in pairwise(order):
        far, near = round(expected[one], 3), round(expected[other], 3)
        assert far >= near - 0.0011
        if far == near:
            distances = [(b[i] - a[i]).norm().item() for i in (one, other)]
            assert distances[0] >= distances[1] - 1e-5
    peaks = [(y.max() - x.max()).abs().item() for x, y in zip(a, b, strict=True)]
    by_peak = made.order("peak")
    assert [peaks[i] for i in by_peak] == sorted(peaks, reverse=True)


async def test_maps_that_are_silent_on_both_sides_are_not_the_most_alike(runs: Runs) -> None:
    here, there = [await half(runs, "mini", image, "relu5") for image in ("coffee", "cat")]
    made = MapComparison(here, there)
    order = made.order("alike")
    loud = [bool(made.row(i).norm_here or made.row(i).norm_there) for i in order]
    assert loud == sorted(loud, reverse=True)
    assert not all(loud)
    rows = [made.row(i).relative or 0.0 for i, one in zip(order, loud, strict=True) if one]
    assert all(one <= other + 0.0011 for one, other in pairwise(rows))


async def test_the_difference_is_the_tensors(runs: Runs) -> None:
    here, there = (
        await half(runs, "mini", "coffee", "conv4"),
        await half(runs, "mini", "cat", "conv4"),
    )
    made = MapComparison(here, there)
    rows = [made.between(3, 3), made.between(100, 7)]
    apart = made.drawn(rows, "difference")
    a, b = here.run.tensor("conv4"), there.run.tensor("conv4")
    assert torch.equal(apart, torch.stack([b[3] - a[3], b[7] - a[100]]))
    assert rows[0].largest == (b[3] - a[3]).abs().max().item()
    assert rows[1].peak == pytest.approx(b[7].max().item() - a[100].max().item())
    for i, row in enumerate(rows):
        limits = [made.drawn([row], part).abs().max().item() for part in ("here", "there")]
        assert made.limit(row) == max(*limits, apart[i].abs().max().item())


async def test_trained_and_random_are_compared_channel_by_channel(runs: Runs) -> None:
    here = await half(runs, "mini", "coffee", "conv5")
    there = await half(runs, "mini-random", "coffee", "conv5")
    made = MapComparison(here, there)
    assert (made.pairing, made.same_size) == ("channels", True)
    row = made.chosen("relative", None)
    assert (row.here, row.there) == (made.order("relative")[0],) * 2
    assert made.chosen("relative", 7).there == 7


async def test_one_channel_is_compared_with_its_fellows(runs: Runs) -> None:
    same = await half(runs, "mini", "coffee", "conv2")
    made = MapComparison(same, same, 58)
    assert made.pairing == "one"
    ones, others = made.pairs
    assert set(ones) == {58}
    assert others == [c for c in range(192) if c != 58]
    maps = same.run.tensor("conv2")
    best = max(others, key=lambda c: round(relative(maps[58], maps[c]), 3))
    first = made.row(made.order("relative")[0])
    assert first.relative == pytest.approx(relative(maps[58], maps[best]), abs=1e-3)
    assert made.chosen("relative", None) == first
    assert made.chosen("relative", 3).there == 3


@pytest.mark.parametrize(
    ("one", "other", "pairing"),
    [
        ("conv2", "relu2", "channels"),
        ("relu2", "pool2", "channels"),
        ("conv3", "conv4", "rank"),
        ("fc7", "softmax", "channels"),
        ("pool5", "flatten", "rank"),
    ],
)
async def test_numbers_mean_the_same_where_no_channel_is_mixed(
    runs: Runs, one: str, other: str, pairing: str
) -> None:
    here, there = [await half(runs, "mini", "coffee", step) for step in (one, other)]
    assert MapComparison(here, there).pairing == pairing


async def test_by_rank_the_strongest_stands_beside_the_strongest(runs: Runs) -> None:
    here, there = (
        await half(runs, "mini", "coffee", "conv3"),
        await half(runs, "mini", "coffee", "conv5"),
    )
    made = MapComparison(here, there)
    assert made.pairing == "rank"
    assert made.orders() == ()
    first = made.row(made.order("relative")[0])
    assert first.here == here.run.tensor("conv3").amax((1, 2)).argmax().item()
    assert first.there == there.run.tensor("conv5").amax((1, 2)).argmax().item()
    assert len(made.pairs[0]) == 192
    partner = made.pairs[1][made.pairs[0].index(5)] if 5 in made.pairs[0] else None
    assert (
        partner is None or MapComparison(here, there, 5).chosen("relative", None).there == partner
    )


async def test_maps_of_two_sizes_have_peaks_and_no_difference(runs: Runs) -> None:
    here, there = (
        await half(runs, "mini", "coffee", "conv2"),
        await half(runs, "mini", "cat", "pool2"),
    )
    made = MapComparison(here, there)
    row = made.row(0)
    assert (row.relative, row.largest, made.orders()) == (None, None, ("peak",))
    assert made.order("relative") == made.order("peak")
    with pytest.raises(ValueError, match="two sizes"):
        made.drawn([row], "difference")


async def test_a_channel_that_is_not_there_is_refused(runs: Runs) -> None:
    here, there = (
        await half(runs, "mini", "coffee", "conv2"),
        await half(runs, "mini", "cat", "conv2"),
    )
    with pytest.raises(UnknownStep, match="channels 0 to 191"):
        MapComparison(here, there, 192)
    with pytest.raises(UnknownStep, match="channels 0 to 191"):
        MapComparison(here, there).chosen("relative", 192)
