"""Charts as SVG files: lines, bars and heat maps; readable on white and on black."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from app.pictures.charts import ChartAxis

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 56
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # Okabe and Ito: colour-blind safe
INK = "#777"


def lines(
    title: str, x: ChartAxis, y: ChartAxis, series: dict[str, Sequence[tuple[float, float]]]
) -> str:
    """A line chart: one line for each series of (x, y), with a legend."""
    body = []
    for i, (name, points) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{_x(x, a):.1f},{_y(y, b):.1f}" for a, b in points)
        body.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>'
            f'<text x="{WIDTH - RIGHT - 8}" y="{HEIGHT - BOTTOM - 12 - 20 * i}" fill="{colour}" '
            f'text-anchor="end">{escape(name)}</text>'
        )
    return _chart(title, x, y, body)


def bars(
    title: str,
    x: ChartAxis,
    y: ChartAxis,
    values: Sequence[float | None],
    diagonal: bool = False,
) -> str:
    """A bar chart with equal widths, no bar for None; `diagonal` draws the line y = x."""
    body = []
    step = (x.high - x.low) / max(1, len(values))
    for i, value in enumerate(values):
        if value is not None:
            left, right = _x(x, x.low + i * step), _x(x, x.low + (i + 1) * step)
            top, foot = _y(y, value), _y(y, y.low)
            body.append(
                f'<rect x="{left + 1:.1f}" y="{top:.1f}" width="{right - left - 2:.1f}" '
                f'height="{foot - top:.1f}" fill="{COLOURS[0]}"/>'
            )
    if diagonal:
        body.append(
            f'<line x1="{_x(x, x.low)}" y1="{_y(y, y.low)}" x2="{_x(x, x.high)}" '
            f'y2="{_y(y, y.high)}" stroke="{COLOURS[1]}" stroke-width="2" stroke-dasharray="6 4"/>'
        )
    return _chart(title, x, y, body)


def shades(title: str, rows: Sequence[Sequence[float]], across: str, down: str) -> str:
    """A heat map of values 0..1; opacity is their square root, so that small ones are visible."""
    side = HEIGHT * 2 - TOP - BOTTOM
    cell = side / max(1, len(rows))
    body = [
        f'<rect x="{LEFT + j * cell:.1f}" y="{TOP + i * cell:.1f}" width="{cell:.1f}" '
        f'height="{cell:.1f}" fill="{COLOURS[0]}" fill-opacity="{value**0.5:.2f}"/>'
        for i, row in enumerate(rows)
        for j, value in enumerate(row)
        if value > 0
    ]
    body.append(
        f'<rect x="{LEFT}" y="{TOP}" width="{side}" height="{side}" fill="none" stroke="{INK}"/>'
        f'<text x="{LEFT + side / 2}" y="{TOP + side + 32}" text-anchor="middle" '
        f'fill="{INK}">{escape(across)}</text>'
        f'<text transform="translate({LEFT - 24},{TOP + side / 2}) rotate(-90)" '
        f'text-anchor="middle" fill="{INK}">{escape(down)}</text>'
    )
    return _svg(title, LEFT + side + RIGHT, HEIGHT * 2, body)


def _x(axis: ChartAxis, value: float) -> float:
    return axis.at(value, LEFT, WIDTH - RIGHT)


def _y(axis: ChartAxis, value: float) -> float:
    return axis.at(value, HEIGHT - BOTTOM, TOP)


def _chart(title: str, x: ChartAxis, y: ChartAxis, body: Sequence[str]) -> str:
    return _svg(title, WIDTH, HEIGHT, [*_frame(x, y), *body])


def _frame(x: ChartAxis, y: ChartAxis) -> Iterator[str]:
    for value in y.ticks():
        yield (
            f'<line x1="{LEFT}" y1="{_y(y, value):.1f}" x2="{WIDTH - RIGHT}" '
            f'y2="{_y(y, value):.1f}" stroke="{INK}" stroke-opacity=".3"/>'
            f'<text x="{LEFT - 8}" y="{_y(y, value) + 5:.1f}" text-anchor="end" '
            f'fill="{INK}">{value:.3g}</text>'
        )
    for value in x.ticks():
        yield (
            f'<text x="{_x(x, value):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle" '
            f'fill="{INK}">{value:.3g}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield (
        f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle" '
        f'fill="{INK}">{escape(x.title)}</text>'
        f'<text transform="translate(16,{(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
        f'text-anchor="middle" fill="{INK}">{escape(y.title)}</text>'
    )


def _svg(title: str, width: float, height: float, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="system-ui, sans-serif" '
        f'font-size="14" role="img"><title>{escape(title)}</title>'
        f'<text x="{LEFT}" y="24" font-weight="bold" fill="{INK}">{escape(title)}</text>'
        f"{''.join(body)}</svg>\n"
    )
