"""How unusual a picture is among reference photos, as a number in words."""

from __future__ import annotations

import math

from app.services.attacks.unusual import ScoreReading
from app.vision.unusual import RARE


def beaten_percent(reading: ScoreReading) -> str:
    """`97 %`, the share of photos that are less unusual: rounded down, never to all or none."""
    share = round(100 * reading.beaten, 9)
    if share in (0, 100):
        told = f"{share:.0f}"
    elif share < 0.1:
        told = "<\u00a00.1"
    elif 1 <= share < 99:
        told = f"{math.floor(share)}"
    else:
        told = f"{math.floor(10 * share) / 10:.1f}"
    return f"{told}\u00a0%"


def p_text(value: float) -> str:
    """A p-value with two or three decimal places; what is above the threshold is written above."""
    text = f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
    if value > RARE >= float(text):
        return f"{math.ceil(1000 * value) / 1000:.3f}"
    return text
