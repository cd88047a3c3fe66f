"""The server and the page's script write the same number alike."""

from __future__ import annotations

import random

import numpy as np
import pytest
from playwright.sync_api import Page

from app.web.core.templating import number
from app.web.parts.number_grids import compact

FORMAT = """async (values) => {
  const { format } = await import("/static/js/numbers.js");
  return values.map(format);
}"""

COMPACT = """async ([limit, values]) => {
  const { compact } = await import("/static/js/numbers.js");
  const [text, unit] = compact(limit);
  return [values.map(text), unit];
}"""

EDGES = (
    *(0.001, 0.000999, 0.0009995, 0.125, 1.125, 10.25, 2.5, 12.35, 999.4, 999.5, 999.6, 1000.0),
    *(1234.5, 1000.5, 4321.0, 9999.4, 9999.6, 9999.99, 10_000.0, 12_345.6, 125_000.0, 1e-7, 1e20),
)


def drawn_numbers() -> list[float]:
    """Values of every size, what lies beside a bound of a rule, and halves of the last digit."""
    chance = random.Random(7)
    bounds = [
        base * 10.0**power * (1 + shift)
        for power in range(-12, 9)
        for base in (1, 0.9995, 0.99949)
        for shift in (0, 1e-9, -1e-9)
    ]
    halves = [float(np.float16(chance.uniform(0, 3))) for _ in range(300)]
    eighths = [chance.randint(0, 20_000) / 8 for _ in range(500)]
    sizes = [chance.uniform(1, 10) * 10 ** chance.randint(-8, 8) for _ in range(2000)]
    values = [*EDGES, *bounds, *halves, *eighths, *sizes]
    return [0.0, *values, *(-value for value in values)]


def test_both_write_a_number_alike(page: Page) -> None:
    page.goto("/lab/row")
    values = drawn_numbers()
    assert page.evaluate(FORMAT, values) == [number(value) for value in values]


@pytest.mark.parametrize("limit", [0.0, 4e-8, 2e-4, 0.05, 0.29, 1.0, 9.99, 87.5, 2500, 4e5])
def test_both_write_the_numbers_of_a_grid_alike(page: Page, limit: float) -> None:
    page.goto("/lab/row")
    values = [value for value in drawn_numbers() if abs(value) <= limit]
    text, unit = compact(limit)
    assert page.evaluate(COMPACT, [limit, values]) == [[text(value) for value in values], unit]
