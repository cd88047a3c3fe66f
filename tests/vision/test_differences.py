"""How far maps are apart, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from app.vision.differences import largest_difference, relative_distance

A = torch.tensor([[[3.0, 0.0], [0.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])


def test_distances_by_hand() -> None:
    b = torch.tensor([[[3.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[2.0, 0.0], [0.0, 0.0]]])
    # |(0,0,0,-3)| / sqrt(25 + 10); the same; all of one is nothing of the other
    expected = [3 / math.sqrt(35), 0.0, 1.0]
    assert relative_distance(A, b).tolist() == pytest.approx(expected)
    assert largest_difference(A, b).tolist() == [3.0, 0.0, 2.0]
    assert relative_distance(b, A).tolist() == pytest.approx(expected)


def test_the_ends_of_the_scale() -> None:
    first = A[:1]
    assert relative_distance(first, -first).item() == pytest.approx(math.sqrt(2))
    apart = torch.tensor([[[0.0, 5.0], [1.0, 0.0]]])  # no cell is lit in both
    assert relative_distance(first, apart).item() == pytest.approx(1)
    assert relative_distance(A[2:], A[2:]).item() == 0
    assert relative_distance(1e-20 * first, -1e-20 * first).item() == pytest.approx(math.sqrt(2))


def test_one_map_is_compared_with_each() -> None:
    assert relative_distance(A[:1], A).tolist() == pytest.approx(
        [relative_distance(A[:1], A[i : i + 1]).item() for i in range(3)]
    )
