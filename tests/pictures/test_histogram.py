"""The histogram as a picture to keep."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from app.pictures.histogram import BAR, BOTTOM, HEIGHT, MARGIN, MARKS, TOP, WIDTH, histogram_png


def test_bars_stand_where_they_count_and_marks_where_they_are() -> None:
    png = histogram_png("A score", [0, 4, 2, 0], ("0", "8"), [("Clean", 0.25), ("Noise", 1.0)])
    image = Image.open(BytesIO(png)).convert("RGB")
    floor, step = HEIGHT - BOTTOM, (WIDTH - 2 * MARGIN) / 4

    def at(bin: float, y: float) -> tuple[int, ...]:
        found = image.getpixel((round(MARGIN + bin * step), round(y)))
        assert isinstance(found, tuple)
        return found

    assert at(0.5, floor - 3) == (255, 255, 255)
    assert at(1.5, TOP + 3) == BAR
    assert at(2.5, floor - 3) == BAR and at(2.5, (TOP + floor) / 2 - 9) == (255, 255, 255)
    assert at(1.0, TOP + 20) == MARKS[0]
    assert at(4.0, TOP + 20) == MARKS[1]
