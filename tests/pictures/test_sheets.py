from io import BytesIO

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.pictures.palettes import palette
from app.pictures.sheets import (
    SheetLayout,
    arrange,
    encode,
    grid,
    quantise,
    reduce,
    sheet,
    tile,
)


def indices_of(png: bytes) -> np.ndarray:
    with Image.open(BytesIO(png)) as image:
        assert image.mode == "P"
        return np.array(image)


def test_indices_by_hand() -> None:
    maps = torch.tensor([[[-2.0, -1.0, 0.0], [0.5, 1.0, 2.0]]])
    # 128 + round(127 v / 2): 127 / 2 = 63.5 rounds to 64, 127 / 4 = 31.75 to 32
    expected = [[1, 64, 128], [160, 192, 255]]
    assert quantise(maps, 2.0).tolist() == [expected]
    assert quantise(maps, torch.tensor([2.0])).tolist() == [expected]
    assert quantise(maps, 2.0).dtype == torch.uint8


def test_every_map_has_its_own_peak() -> None:
    maps = torch.tensor([[[1.0]], [[1.0]], [[-1.0]]])
    assert quantise(maps, torch.tensor([1.0, 2.0, 4.0])).flatten().tolist() == [255, 192, 96]


def test_a_map_of_zeros_is_all_zero_colour() -> None:
    maps = torch.zeros(2, 3, 3)
    assert set(quantise(maps, torch.zeros(2)).flatten().tolist()) == {128}
    assert set(quantise(maps, 0.0).flatten().tolist()) == {128}


def test_values_beyond_the_peak_get_its_colour() -> None:
    assert quantise(torch.tensor([[[-9.0, 9.0]]]), 1.0).flatten().tolist() == [1, 255]


@pytest.mark.parametrize("peak", [1e-45, 1e-38, 1e-30, 1e30, 3e38])
def test_tiny_and_huge_peaks_keep_zero_dark_and_the_peak_bright(peak: float) -> None:
    maps = torch.tensor([[[0.0, peak, -peak]]])
    zero, high, low = quantise(maps, peak).flatten().tolist()
    assert zero == 128
    # Below the smallest normal number, 127 / peak is beyond float32.
    assert (high, low) == (255, 1) or (peak < 1e-36 and high >= 128 >= low)


@given(
    st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=20),
    st.floats(0.125, 50, width=32),
)
def test_indices_are_within_a_step_of_the_value(values: list[float], peak: float) -> None:
    indices = quantise(torch.tensor(values).view(1, 1, -1), peak).flatten().tolist()
    for value, index in zip(values, indices, strict=True):
        clipped = min(peak, max(-peak, value))
        assert abs((index - 128) * peak / 127 - clipped) <= 0.501 * peak / 127
        assert 1 <= index <= 255


def test_quantising_leaves_the_maps_alone() -> None:
    maps = torch.randn(2, 3, 3)
    before = maps.clone()
    quantise(maps, 1.0)
    assert torch.equal(maps, before)


def test_relu_then_signed_is_the_same_as_signed_then_nonnegative() -> None:
    maps = torch.randn(4, 5, 5)
    peak = maps.abs().amax((1, 2))
    relu = sheet(maps.relu(), peak, "signed")
    recoloured = sheet(maps, peak, "nonnegative")
    first, second = (Image.open(BytesIO(one.png)).convert("RGB") for one in (relu, recoloured))
    assert first.tobytes() == second.tobytes()


def test_large_maps_are_averaged_and_small_ones_left() -> None:
    maps = torch.arange(16.0).view(1, 4, 4)
    # The mean of 0 1 4 5 is 2.5, and so on.
    assert reduce(maps, 2).tolist() == [[[2.5, 4.5], [10.5, 12.5]]]
    assert reduce(maps, 4) is maps
    assert reduce(maps, 9) is maps


def test_a_wide_map_keeps_its_shape() -> None:
    assert reduce(torch.randn(2, 10, 40), 20).shape == (2, 5, 20)
    assert reduce(torch.randn(2, 40, 1), 20).shape == (2, 20, 1)


def test_tiles_lie_row_by_row_and_the_rest_is_zero() -> None:
    tiles = torch.arange(3, dtype=torch.uint8).view(3, 1, 1).expand(3, 1, 2)
    assert tile(tiles, 2).tolist() == [[0, 0, 1, 1], [2, 2, 128, 128]]


def test_a_tile_is_cut_along_the_right_axes() -> None:
    maps = torch.arange(12, dtype=torch.uint8).view(2, 2, 3)
    assert tile(maps, 2).tolist() == [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]]
    assert tile(maps, 1).tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]


def test_the_layout_by_hand() -> None:
    layout = arrange(5, height=4, width=7)
    assert layout == SheetLayout(7, 4, columns=3, rows=2, count=5)
    assert (layout.width, layout.height) == (21, 8)
    assert [layout.position(i) for i in range(5)] == [(0, 0), (7, 0), (14, 0), (0, 4), (7, 4)]


@pytest.mark.parametrize("i", [-1, 5])
def test_there_is_no_tile_beyond_the_last(i: int) -> None:
    with pytest.raises(IndexError):
        arrange(5, 4, 7).position(i)


@pytest.mark.parametrize("columns", [None, 1, 4, 99])
@pytest.mark.parametrize("count", [1, 3, 16, 17])
def test_every_tile_is_where_the_layout_says(count: int, columns: int | None) -> None:
    maps = torch.randn(count, 3, 5)
    drawn = sheet(maps, 2.5, "signed", columns=columns)
    pixels, expected = indices_of(drawn.png), quantise(maps, 2.5).numpy()
    assert pixels.shape == (drawn.layout.height, drawn.layout.width)
    for i in range(count):
        x, y = drawn.layout.position(i)
        assert np.array_equal(pixels[y : y + 3, x : x + 5], expected[i])


def test_the_sheet_says_when_maps_were_reduced() -> None:
    maps = torch.randn(4, 8, 8)
    assert not sheet(maps, 3.0, "signed").reduced
    assert not sheet(maps, 3.0, "signed", side=8).reduced
    small = sheet(maps, 3.0, "signed", side=4)
    assert (small.reduced, small.layout.tile_width, small.layout.tile_height) == (True, 4, 4)


def test_values_become_one_near_square_tile() -> None:
    values = torch.tensor([1.0, -1.0, 0.5, 0.0, 1.0])
    assert grid(values).tolist() == [[[1, -1, 0.5], [0, 1, 0]]]
    drawn = sheet(values, 1.0, "logit")
    assert drawn.layout == SheetLayout(3, 2, 1, 1, 1)
    assert indices_of(drawn.png).tolist() == [[255, 1, 192], [128, 255, 128]]


@pytest.mark.parametrize(
    ("count", "shape"), [(1, (1, 1)), (100, (10, 10)), (1000, (32, 32)), (512, (23, 23))]
)
def test_the_grid_of_values_is_nearly_square(count: int, shape: tuple[int, int]) -> None:
    assert grid(torch.zeros(count)).shape == (1, *shape)


def test_the_png_carries_the_palette() -> None:
    indices = torch.arange(256, dtype=torch.uint8).view(16, 16)
    with Image.open(BytesIO(encode(indices, "logit"))) as image:
        assert image.mode == "P"
        assert bytes(image.getpalette() or []) == palette("logit")
        assert np.array_equal(np.array(image), indices.numpy())


def test_a_view_that_is_not_contiguous_is_encoded_as_it_reads() -> None:
    indices = torch.arange(6, dtype=torch.uint8).view(2, 3).T
    assert indices_of(encode(indices, "signed")).tolist() == [[0, 3], [1, 4], [2, 5]]
