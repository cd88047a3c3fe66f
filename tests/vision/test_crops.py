"""The winners of many pictures against a search through all, and the crops at their fields."""

from __future__ import annotations

import torch

from app.vision.crops import Winners, cut, peaks_of
from app.vision.geometry import geometry
from tests.support.small_networks import chain


def outputs(count: int, seed: int = 0) -> torch.Tensor:
    """Whole numbers, so that there are ties everywhere."""
    lot = torch.Generator().manual_seed(seed)
    return torch.randint(0, 30, (count, 5, 4, 3), generator=lot).float()


def brute(maps: torch.Tensor, channel: int, keep: int) -> list[tuple[float, int, int]]:
    """(value, picture, cell), by looking at every cell of every picture."""
    best = []
    for number, one in enumerate(maps[:, channel].flatten(1).tolist()):
        best.append((max(one), number, one.index(max(one))))
    return sorted(best, key=lambda found: (-found[0], found[1]))[:keep]


def listed(winners: Winners, channel: int) -> list[tuple[float, int, int]]:
    parts = (winners.values[channel], winners.pictures[channel], winners.cells[channel])
    return list(zip(*(part.tolist() for part in parts), strict=True))


def passed(maps: torch.Tensor, numbers: torch.Tensor, size: int, keep: int = 9) -> Winners:
    winners = Winners.none(maps.shape[1], keep)
    for i in range(0, len(maps), size):
        part = maps[i : i + size]
        winners = winners.with_batch(part, peaks_of(part), numbers[i : i + size])
    return winners


def test_a_search_through_everything_agrees() -> None:
    maps = outputs(100)
    winners = passed(maps, torch.arange(100), 7)
    for channel in range(5):
        assert listed(winners, channel) == brute(maps, channel, 9)


def test_the_division_of_the_work_does_not_matter() -> None:
    maps, numbers = outputs(60), torch.arange(60)
    whole = passed(maps, numbers, 60)
    even = passed(maps[::2], numbers[::2], 4)
    odd = passed(maps[1::2], numbers[1::2], 9)
    for joined in (odd.merged(even), even.merged(odd), passed(maps, numbers, 1)):
        assert torch.equal(joined.values, whole.values)
        assert torch.equal(joined.pictures, whole.pictures)
        assert torch.equal(joined.cells, whole.cells)


def test_too_few_pictures_leave_places_empty() -> None:
    winners = passed(outputs(2), torch.tensor([4, 9]), 2)
    assert (winners.pictures[:, 2:] == -1).all() and winners.values[:, 2:].isinf().all()
    assert set(winners.pictures[0, :2].tolist()) == {4, 9}


def test_a_crop_is_what_the_cell_sees_and_padding_is_marked() -> None:
    field = geometry(chain())["conv2"]  # 3x3, pool 2, 3x3: eight pixels, every second
    assert (field.rows.size, field.rows.jump, field.rows.start) == (8, 2, -3)
    pixels = torch.arange(3 * 256).remainder(251).view(3, 16, 16).to(torch.uint8)
    inner = cut(pixels, field, 3 * 8 + 4)
    assert inner.inside.all() and torch.equal(inner.pixels, pixels[:, 3:11, 5:13])
    corner = cut(pixels, field, 0)
    assert corner.inside.sum() == 25 and corner.inside[3:, 3:].all()
    assert torch.equal(corner.pixels[:, 3:, 3:], pixels[:, :5, :5])
    assert (corner.pixels[:, :3] == 128).all()
    end = cut(pixels, field, 63)
    assert end.inside[:5, :5].all() and end.inside.sum() == 25


def test_the_strongest_pixels_are_in_the_crop() -> None:
    """A cell's value does not change where all but its crop is painted over."""
    network, x = chain(), torch.rand(3, 16, 16).mul(255).round()
    output = network.upto("conv2")(x[None]).detach()
    peaks = peaks_of(output)
    winners = Winners.none(5, 1).with_batch(output, peaks, torch.tensor([0]))
    field = geometry(network)["conv2"]
    for channel in range(5):
        cell = int(winners.cells[channel, 0])
        y, x_ = divmod(cell, 8)
        box, other = field.box(y, x_), torch.zeros_like(x)
        other[:, box.top : box.bottom, box.left : box.right] = x[
            :, box.top : box.bottom, box.left : box.right
        ]
        again = network.upto("conv2")(other[None])[0, channel, y, x_]
        torch.testing.assert_close(again, peaks[0, channel], rtol=1e-4, atol=1e-3)
