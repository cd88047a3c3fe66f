"""Charts: well-formed, and things stand where their values say."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from app.pictures.charts import ChartAxis
from app.pictures.svg_charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    bars,
    lines,
    shades,
)
from app.training.evaluation import BINS

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str, kind: str) -> list[dict[str, str]]:
    return [one.attrib for one in ElementTree.fromstring(text).iter(f"{SVG}{kind}")]


def test_a_line_goes_through_its_points() -> None:
    text = lines(
        "A & B", ChartAxis("x", 0, 10), ChartAxis("y", 0, 1), {"one <1>": [(0, 0), (10, 1)]}
    )
    (line,) = drawn(text, "polyline")
    first, last = (tuple(map(float, point.split(","))) for point in line["points"].split())
    assert first == pytest.approx((LEFT, HEIGHT - BOTTOM))
    assert last == pytest.approx((WIDTH - RIGHT, TOP))
    assert "one &lt;1&gt;" in text


def test_bars_are_as_high_as_their_values_and_none_is_none() -> None:
    text = bars(
        "B",
        ChartAxis("x", 0, 2),
        ChartAxis("y", 0, 100),
        [50.0, None, 100.0, 0.0],
        diagonal=True,
    )
    heights = [float(bar["height"]) for bar in drawn(text, "rect")]
    whole = HEIGHT - BOTTOM - TOP
    assert heights == pytest.approx([whole / 2, whole, 0], abs=0.1)
    assert any("stroke-dasharray" in line for line in drawn(text, "line"))


def test_shades_are_as_dark_as_their_values() -> None:
    cells = drawn(shades("S", [[1.0, 0.0], [0.25, 0.75]], "across", "down"), "rect")[:-1]
    assert [cell["fill-opacity"] for cell in cells] == ["1.00", "0.50", "0.87"]


def test_the_model_card_says_what_the_shipped_chart_shows_of_its_bin() -> None:
    card = " ".join((ROOT / "docs" / "models.md").read_text().split())
    chart = (ROOT / "docs" / "models" / "reliability.svg").read_text()
    heights = [float(one) for one in re.findall(r'<rect [^>]*height="([\d.]+)"', chart)]
    assert len(heights) == BINS
    # 0 and 100 per cent are lines at these heights.
    ends = re.findall(r'<line x1="64.0" y1="([\d.]+)" x2="[\d.]+" y2="([\d.]+)"', chart)
    zero, whole = map(float, ends[0])
    which = r"\(the fourteenth of fifteen bins\)"
    said = re.search(rf"gives ([\d.]+) to ([\d.]+) % {which}, (\d+) % are right", card)
    assert said
    assert said.groups() == (
        f"{100 * 13 / BINS:.1f}",
        f"{100 * 14 / BINS:.1f}",
        f"{100 * heights[13] / (zero - whole):.0f}",
    )
