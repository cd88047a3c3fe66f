"""Charts on the page: the same curves for wide and narrow screens, and how values are written."""

from __future__ import annotations

from dataclasses import dataclass

from app.pictures.charts import ChartLayout, LineChart, lay_out

SIZES = (("wide", 620, 300), ("middle", 460, 290), ("narrow", 312, 280))
"""Name, width and height of a chart, pixels at the default font size: the last fits a phone."""


@dataclass(frozen=True, slots=True)
class Charted:
    """One chart in several widths, of which the page shows the one that fits."""

    chart: LineChart
    layouts: tuple[tuple[str, ChartLayout], ...]  # name of each width, and its layout


def charted(chart: LineChart) -> Charted:
    """A chart for every screen width."""
    return Charted(chart, tuple((name, lay_out(chart, *size)) for name, *size in SIZES))


def times(ratio: float) -> str:
    """A ratio: 18, 2.1."""
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}"


def ticks(most: float) -> tuple[tuple[float, str], ...]:
    """Evenly spaced ticks from 0 to above `most`, in per cent."""
    step = next(one for one in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 1e9) if 5 * one >= most)
    count = max(1, -int(-most // step))
    return tuple((i * step, f"{100 * i * step:.0f} %") for i in range(count + 1))
