"""Sliding windows by hand, and against torch over random shapes."""

from __future__ import annotations

from math import inf

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from app.vision.arithmetic.convolution import conv_cell, convolve
from app.vision.arithmetic.pooling import max_pool, mean_cell, pool_cell
from app.vision.window import Window

FIVE = torch.arange(25.0).reshape(1, 5, 5)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, tuple[int, int]]:
    """A window and the size of a map it fits on."""
    pair = st.tuples(st.integers(1, 4), st.integers(1, 4))
    kernel, stride, dilation = draw(pair), draw(pair), draw(pair)
    padding = draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    window = Window(kernel, stride, padding, dilation)
    least = [max(1, e - 2 * p) for e, p in zip(window.extent, padding, strict=True)]
    return window, (draw(st.integers(least[0], 16)), draw(st.integers(least[1], 16)))


@given(windows(), st.integers(0, 99))
def test_every_cell_of_a_convolution_re_adds(
    made: tuple[Window, tuple[int, int]], seed: int
) -> None:
    window, size = made
    torch.manual_seed(seed)
    inputs, kernels, bias = torch.randn(2, *size), torch.randn(3, 2, *window.kernel), torch.randn(3)
    output = convolve(inputs, kernels, window, bias)
    exact = F.conv2d(inputs[None], kernels, bias, window.stride, window.padding, window.dilation)[0]
    assert torch.equal(output, exact)
    assert window.outputs(size) == tuple(output.shape[1:])
    for y in {0, output.shape[1] // 2, output.shape[1] - 1}:
        for x in {0, output.shape[2] // 2, output.shape[2] - 1}:
            value = output[1, y, x].item()
            cell = conv_cell(window, inputs, kernels[1], bias[1].item(), value, (y, x))
            assert cell.patch.shape == cell.kernel.shape
            assert abs(cell.total - value) <= 1e-5 * cell.magnitude
            assert cell.bias + cell.terms.sum().item() == pytest.approx(cell.total)


@given(windows())
def test_coverage_counts_the_windows_over_each_cell(made: tuple[Window, tuple[int, int]]) -> None:
    window, size = made
    outputs = torch.ones(1, 1, *window.outputs(size), dtype=torch.float64)
    # Each output hands a one back to every cell it read: a transposed convolution of ones.
    padded = torch.zeros(1, 1, *(n + 2 * p for n, p in zip(size, window.padding, strict=True)))
    unit = torch.ones(1, 1, *window.kernel, dtype=torch.float64)
    back = F.conv_transpose2d(outputs, unit, stride=window.stride, dilation=window.dilation)
    whole = padded.double()
    whole[..., : back.shape[2], : back.shape[3]] += back
    top, left = window.padding
    inside = whole[0, 0, top : top + size[0], left : left + size[1]]
    assert torch.equal(window.coverage(size).double(), inside)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2), st.booleans(), st.integers(0, 99))
def test_every_cell_of_a_max_pooling_has_its_winner(
    kernel: int, stride: int, padding: int, ceil_mode: bool, seed: int
) -> None:
    padding = min(padding, kernel // 2)
    window = Window((kernel,) * 2, (stride,) * 2, (padding,) * 2, ceil_mode=ceil_mode)
    torch.manual_seed(seed)
    # Few different values, so that ties happen.
    grid = torch.randint(-3, 3, (7, 9)).float()
    output, places = F.max_pool2d(
        grid[None], kernel, stride, padding, ceil_mode=ceil_mode, return_indices=True
    )
    assert torch.equal(max_pool(grid[None], window), output)
    assert window.outputs((7, 9)) == tuple(output.shape[1:])
    for y in range(output.shape[1]):
        for x in range(output.shape[2]):
            cell = pool_cell(window, grid, output[0, y, x].item(), (y, x))
            assert cell.patch.max().item() == cell.value
            assert cell.winner == divmod(int(places[0, y, x]), 9)
            assert cell.wins == int((places == places[0, y, x]).sum())


def test_overlapping_windows_by_hand() -> None:
    # AlexNet's pooling: 3x3, stride 2. The 9 in the middle wins all four windows.
    grid = torch.zeros(5, 5)
    grid[2, 2] = 9
    cell = pool_cell(Window((3, 3), (2, 2)), grid, 9.0, (1, 0))
    assert (cell.winner, cell.ties, cell.wins) == ((2, 2), 1, 4)
    assert (cell.rows, cell.columns) == ((2, 3, 4), (0, 1, 2))


def test_the_first_of_equal_values_wins() -> None:
    grid = torch.tensor([[1.0, 5, 2], [5, 0, 1], [0, 5, 3]])
    cell = pool_cell(Window((3, 3), (1, 1)), grid, 5.0, (0, 0))
    assert (cell.winner, cell.ties) == ((0, 1), 3)


def test_nothing_wins_from_beyond_the_edge() -> None:
    grid = torch.tensor([[-4.0, -3], [-2, -1]])
    cell = pool_cell(Window((3, 3), (2, 2), (1, 1)), grid, -1.0, (0, 0))
    assert cell.winner == (1, 1)
    assert cell.patch[0].tolist() == [-inf, -inf, -inf]


def test_stride_padding_and_dilation_by_hand() -> None:
    kernel = torch.tensor([[[1.0, 0, 1], [0, 1, 0], [1, 0, 1]]])
    plain = convolve(FIVE, kernel[None], Window((3, 3)))
    assert plain[0, 0].tolist() == [30, 35, 40]  # 0 + 2 + 6 + 10 + 12
    strided = convolve(FIVE, kernel[None], Window((3, 3), (2, 2)))
    assert strided[0].tolist() == [[30, 40], [80, 90]]
    padded = convolve(FIVE, kernel[None], Window((3, 3), padding=(1, 1)))
    assert padded[0, 0, 0].item() == 6  # 0 in the middle, 6 at its lower right, zeros around
    wide = convolve(FIVE, kernel[None], Window((3, 3), dilation=(2, 2)))
    assert wide[0].tolist() == [[60]]  # the four corners and the middle: 0 + 4 + 12 + 20 + 24
    assert Window((3, 3), dilation=(2, 2)).extent == (5, 5)
    assert Window((3, 3), (2, 2), (1, 1)).reads(0, 1) == ([-1, 0, 1], [1, 2, 3])


def test_a_window_that_lies_in_padding_alone_reads_zeros() -> None:
    window = Window((1, 1), padding=(3, 3))
    assert window.patch(FIVE + 1, 0, 0).tolist() == [[[0.0]]]
    assert window.patch(FIVE + 1, 10, 10).tolist() == [[[0.0]]]
    assert window.patch(FIVE + 1, 3, 3).tolist() == [[[1.0]]]


def test_the_mean_of_a_map() -> None:
    cell = mean_cell(torch.tensor([[1.0, 2], [3, 6]]), 3.0)
    assert (cell.total, cell.magnitude, cell.count) == (3.0, 3.0, 4)


def test_a_window_that_does_not_fit_says_why() -> None:
    assert Window((3, 3)).misfit((5, 5)) == ""
    assert "reaches over 9 rows, and the picture has only 5" in Window(
        (5, 5), dilation=(2, 2)
    ).misfit((5, 5))
    assert Window((5, 5), padding=(2, 2), dilation=(2, 2)).misfit((5, 5)) == ""
    assert "9 columns" in Window((1, 5), padding=(0, 1), dilation=(1, 2)).misfit((5, 5))
    assert "at least 1" in Window((3, 3), (0, 1)).misfit((5, 5))
    with pytest.raises(ValueError, match="smaller kernel"):
        convolve(FIVE, torch.ones(1, 1, 6, 6), Window((6, 6)))
    with pytest.raises(ValueError, match="smaller kernel"):
        max_pool(FIVE, Window((6, 6)))
