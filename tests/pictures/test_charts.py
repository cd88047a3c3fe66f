"""Charts: where things lie, what touches nothing, and the picture that is drawn."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from app.pictures.charts import LINE, ChartMark, ChartSeries, LineChart, chart_png, lay_out


def chart(**more: object) -> LineChart:
    given: dict[str, object] = {
        "title": "A chart",
        "x_title": "epsilon",
        "x": tuple((float(i), f"step {i}") for i in range(5)),
        "y": ((0.0, "0"), (1.0, "1")),
        "series": (ChartSeries("Attack", "attack", ((0, 1), (2, 0.5), (4, 0))),),
        **more,
    }
    return LineChart(**given)  # type: ignore[arg-type]


def test_values_lie_where_the_axes_say() -> None:
    laid = lay_out(chart(), 500, 300)
    first, (x, y), last = laid.curves[0].dots
    assert (first, last) == ((laid.left, laid.top), (laid.right, laid.bottom))
    assert x == pytest.approx((laid.left + laid.right) / 2, abs=0.1)
    assert y == pytest.approx((laid.top + laid.bottom) / 2, abs=0.1)
    assert laid.y == ((laid.bottom, "0"), (laid.top, "1"))
    assert laid.curves[0].line.startswith(f"{laid.left:g},{laid.top:g} ")
    assert laid.right < 500 and laid.bottom < 300


def test_the_spread_is_outlined_along_the_top_and_back_below() -> None:
    series = ChartSeries("Noise", "noise", ((0, 0.5), (4, 0.5)), ((0, 0, 1), (4, 0.5, 0.75)))
    laid = lay_out(chart(series=(series,)), 500)
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = laid.curves[0].spread
    assert (x1, x2, x3, x4) == (laid.left, laid.right, laid.right, laid.left)
    assert y1 == laid.top < y2 < y3 < y4 == laid.bottom


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("count", [3, 18, 60, 200])
def test_names_below_never_touch_and_the_last_is_there(count: int, upright: bool) -> None:
    places = tuple((float(i), f"fire{i}.expand") for i in range(count))
    laid = lay_out(chart(x=places, series=(), upright=upright), 312)
    gaps = [b - a for (a, _), (b, _) in zip(laid.x, laid.x[1:], strict=False)]
    assert min(gaps, default=100) >= LINE - 1
    if not upright:
        assert min(gaps, default=100) >= 8 * len("fire1.expand")
    place, name = laid.x[-1]
    assert name == f"fire{count - 1}.expand" and place == pytest.approx(laid.right, abs=0.1)


def test_words_of_marks_stay_inside_and_above_the_curves() -> None:
    marks = (ChartMark(1, "attack", "falls at 1"), ChartMark(4, "noise", "noise first at 4"))
    laid = lay_out(chart(marks=marks, room=2), 400)
    assert [(side, mark.words) for _, _, side, mark in laid.marks] == [
        ("start", "falls at 1"), ("end", "noise first at 4")
    ]  # fmt: skip
    heights = [height for _, height, _, _ in laid.marks]
    assert heights[1] - heights[0] >= LINE
    assert max(heights) < laid.top
    # The curves do not move when the marks come.
    assert lay_out(chart(room=2), 400).curves == laid.curves


def test_the_picture_shows_curve_and_words() -> None:
    png = chart_png("Where", [chart(), chart(upright=True)], "A sentence that is told below.")
    image = Image.open(BytesIO(png)).convert("RGB")
    assert image.width == 2 * 640 + 56
    colours = {colour for _, colour in image.getcolors(1 << 24) or []}
    assert (161, 29, 43) in colours and (255, 255, 255) in colours
    assert image.height > Image.open(BytesIO(chart_png("Where", [chart()]))).height


def test_one_point_and_one_height_do_not_divide_by_zero() -> None:
    alone = chart(x=((0.0, "0"),), y=((0.0, "0"),), series=(ChartSeries("A", "attack", ((0, 0),)),))
    assert lay_out(alone, 300).curves[0].dots[0][0] > 0
    assert chart_png("One", [alone])
