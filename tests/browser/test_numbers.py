"""The server and the page's script write the same number alike."""

from __future__ import annotations

import random

from playwright.sync_api import Page

from app.web.core.templating import number

FORMAT = """async (values) => {
  const { format } = await import("/static/js/numbers.js");
  return values.map(format);
}"""

EDGES = (
    *(0.001, 0.000999, 0.0009995, 0.125, 1.125, 10.25, 2.5, 12.35, 999.4, 999.5, 999.6, 1000.0),
    *(1234.5, 1000.5, 4321.0, 9999.4, 9999.6, 9999.99, 10_000.0, 12_345.6, 125_000.0, 1e-7, 1e20),
)


def test_both_write_a_number_alike(page: Page) -> None:
    page.goto("/lab/row")
    draws = random.Random(7)
    values = [*EDGES, *(draws.uniform(1, 10) * 10 ** draws.randint(-8, 8) for _ in range(2000))]
    values += [draws.randint(0, 20_000) / 8 for _ in range(500)]  # halves of the last digit
    values += [-value for value in values]
    assert page.evaluate(FORMAT, values) == [number(value) for value in values]
