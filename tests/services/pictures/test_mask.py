"""A mask as a text, and over a picture."""

from __future__ import annotations

import pytest
import torch

from app.errors import BadRequest
from app.services.pictures.mask import SIDE, Mask


def test_a_mask_is_read_as_it_is_written() -> None:
    mask = Mask.of([0, 15, 16, 255])
    assert str(mask) == "8001" + "8000" + "0000" * 13 + "0001"
    assert Mask.read(str(mask)) == mask
    assert mask.cells == (0, 15, 16, 255)
    assert mask.count == 4
    assert Mask.read("") == Mask() and str(Mask()) == ""
    assert Mask.read("0" * 64) == Mask()


@pytest.mark.parametrize("text", ["0", "g" * 64, "0" * 63, "0" * 65, "٠" * 64, "-" + "0" * 63])
def test_a_broken_mask_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="64 hexadecimal digits"):
        Mask.read(text)
    with pytest.raises(BadRequest, match="cells 0 to 255"):
        Mask.of([256])


@pytest.mark.parametrize("size", [64, 224, 70])
def test_a_cell_covers_its_part_of_the_picture(size: int) -> None:
    mask = Mask.of([0, 2 * SIDE + 3]).over(size)
    expected = torch.zeros(size, size)
    for y in range(size):
        for x in range(size):
            expected[y, x] = (y * SIDE // size, x * SIDE // size) in ((0, 0), (2, 3))
    assert torch.equal(mask, expected)
    assert Mask((0xFFFF,) * SIDE).over(size).all()
