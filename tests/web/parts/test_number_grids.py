"""Grids of numbers: how they are written and coloured."""

from __future__ import annotations

import torch

from app.web.core.templating import exact
from app.web.parts.number_grids import compact, grid, heat


def test_numbers_are_written_in_four_digits_and_a_unit() -> None:
    def written(limit: float, *values: float) -> tuple[list[str], str]:
        text, unit = compact(limit)
        return [text(value) for value in values], unit

    assert written(5.2, 5.2, -0.31, 0.0, 0.001) == (["5.20", "−0.31", "0", "0.00"], "")
    assert written(52.0, 52.0, -3.14) == (["52.0", "−3.1"], "")
    assert written(0.0102, 0.0102, -0.0008) == (["10.2", "−0.8"], "× 10⁻³")
    assert written(3e-6, 3e-6) == (["3.00"], "× 10⁻⁶")
    assert written(0.2, 0.2, -0.0123) == (["200", "−12"], "× 10⁻³")
    assert written(0.0, 0.0) == (["0"], "")


def test_colours_are_linear_in_the_magnitude() -> None:
    assert [heat(v, 6.0) for v in (0.0, 0.1, 1.0, 3.0, 6.0, 9.0, -6.0, -0.1)] == [
        "", "w1", "w1", "w3", "w6", "w6", "c6", "c1",
    ]  # fmt: skip
    assert heat(None, 1.0) == heat(1.0, 0.0) == ""


def test_a_grid_marks_cells_and_padding() -> None:
    made = grid("patch", "A patch", torch.tensor([[0.0, 2.0]]), marks={(0, 1): "winner"},
                zeros=[(0, 0)])  # fmt: skip
    assert [cell.mark for cell in made.rows[0]] == ["pad", "winner"]
    assert [cell.heat for cell in made.rows[0]] == ["", "w6"]
    assert grid("x", "x", [[None, 1.0]]).rows[0][0].text == ""


def test_exact_has_as_many_digits_as_float32() -> None:
    assert exact(1 / 3) == "0.3333333"
    assert exact(-2.5e-7, 2) == "−2.5e−7"
