"""The four columns of an attacked layer, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from app.vision.attacks.columns import ChannelColumn, columns, most_changed, strongest

# Channel 0 speaks for class 0, 1 for 0 and 1, 2 for 1, 3 for everything alike, 4 for class 2,
# 5 for nothing at all.
MEANS = torch.tensor(
    [
        [5.0, 4.0, 0.0, 9.0, 0.0, 0.0],
        [0.0, 4.0, 5.0, 9.0, 0.0, 0.0],
        [1.0, 1.0, 1.0, 9.0, 6.0, 0.0],
    ]
)


def maps(*responses: float) -> Tensor:
    """2 x 2 maps with these means, not the same everywhere."""
    shape = torch.tensor([[0.0, 2.0], [1.0, 1.0]])
    return torch.tensor(responses)[:, None, None] * shape


CLEAN = maps(3, 2, 1, 8, 0.5, 0)
ATTACKED = maps(1, 2, 4, 6, 2.5, 0)


def numbers(column: ChannelColumn) -> tuple[list[int], list[int], list[int]]:
    found = (column.excited, column.inhibited, column.unmoved)
    return tuple([one.channel for one in part] for part in found)  # type: ignore[return-value]


def test_channels_go_to_the_class_they_respond_to_more_than_to_others() -> None:
    found = columns(CLEAN, ATTACKED, MEANS, 0, 1, count=2)
    # Contrasts of class 0: 3, 1, -2, 0, -2, 0; of class 1: -2, 1, 3, 0, -2, 0.
    assert numbers(found.original) == ([], [0], [])
    assert numbers(found.both) == ([], [], [1])
    assert numbers(found.target) == ([2], [], [])
    # 3 responds to everything, so it speaks for neither; 4 and 3 moved by 2 each.
    assert numbers(found.exploited) == ([4], [3], [])


def test_each_channel_tells_its_mean_before_and_after() -> None:
    [one] = columns(CLEAN, ATTACKED, MEANS, 0, 1, count=2).target.excited
    assert (one.channel, one.clean, one.attacked, one.change) == (2, 1.0, 4.0, 3.0)


def test_no_channel_stands_in_two_columns_whatever_the_numbers() -> None:
    lot = torch.Generator().manual_seed(1)
    clean, attacked = torch.randn(2, 40, 3, 3, generator=lot)
    means = torch.rand(7, 40, generator=lot)
    found = columns(clean, attacked, means, 2, 5, count=12)
    listed = [one.channel for column in found.all for one in column.all]
    assert len(listed) == len(set(listed))
    top = [sum(len(column.all) for column in pair) for pair in (found.all[:2], found.all[1:3])]
    assert top == [12, 12] and len(found.exploited.all) == 12
    for column in found.all:
        for group in (column.excited, column.inhibited):
            sizes = [abs(one.change) for one in group]
            assert sizes == sorted(sizes, reverse=True)
        assert all(one.change > 0 for one in column.excited)
        assert all(one.change < 0 for one in column.inhibited)


def test_a_channel_without_contrast_speaks_for_no_class_even_where_there_is_room() -> None:
    assert strongest(MEANS, 0, 6) == {0, 1}
    assert strongest(MEANS, 0, 1) == {0}
    assert strongest(None, 0, 6) == set()


def test_without_class_means_only_what_changed_can_be_told() -> None:
    found = columns(CLEAN, ATTACKED, None, 0, 1, count=3)
    assert [column.all for column in found.all[:3]] == [(), (), ()]
    assert numbers(found.exploited) == ([2], [0, 3], [])


def test_where_nothing_changed_nothing_is_exploited() -> None:
    found = columns(CLEAN, CLEAN, MEANS, 0, 1, count=2)
    assert numbers(found.original) == ([], [], [0])
    assert found.exploited.all == ()
    assert most_changed(torch.ones(3), torch.ones(3)) == []


def test_the_same_class_twice_leaves_only_what_is_for_both() -> None:
    found = columns(CLEAN, ATTACKED, MEANS, 0, 0, count=2)
    assert not found.original.all and not found.target.all
    assert {one.channel for one in found.both.all} == {0, 1}


def test_a_response_is_the_mean_in_double_precision() -> None:
    clean = torch.full((1, 100, 100), 0.1)
    [one] = columns(clean, clean + 1, None, 0, 1).exploited.all
    assert one.clean == pytest.approx(float(clean[0, 0, 0]), abs=1e-12)
