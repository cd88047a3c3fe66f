"""The drift of activations under an attack, step by step, as curves, a table and a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from app.pictures.charts import ChartSeries, LineChart
from app.services.attacks.drift import DriftControl
from app.vision.attacks.drift import DriftStep
from app.web.attack.charting import ticks, times
from app.web.attack.where.contexts import DriftRow
from app.web.core.templating import number, relative_percent

ALIKE = (0.8, 1.25)
"""Ratios that count as equal."""

NEARLY_NOTHING = 0.001
"""Relative change of the noise below which a ratio to it says little: both are given instead."""

NOISES = {
    "sign": "random noise of the same largest change, every number up or down",
    "gaussian": "normal noise of the same L2 norm",
    "pixels": "as many pixels, in random colours",
}


def ratio(one: DriftStep) -> float | None:
    """How many times as much the attack changed as the noise.

    None where the noise changed nearly nothing: any ratio can come of that.
    """
    if one.noise_relative_l2 < NEARLY_NOTHING:
        return None
    return one.relative_l2 / one.noise_relative_l2


def sentence(drift: Sequence[DriftStep]) -> str:
    """The curves in words: at the first step, and where they are farthest apart.

    Softmax is left out: it saturates where a network is certain.
    """
    steps = drift[:-1]
    if not any(one.noise_relative_l2 for one in steps):
        return "The noise changed nothing, so there is nothing to compare with."
    first, start = steps[0], _start(steps[0])
    # A step that the attack moves and the noise hardly does: both are said, and no ratio.
    still = [one for one in steps[1:] if ratio(one) is None and one.relative_l2 >= NEARLY_NOTHING]
    if still:
        one = max(still, key=lambda step: step.relative_l2)
        return f"{start}; {one.step} is changed by {_both(one)}."
    told = [(one, found) for one in steps if (found := ratio(one)) is not None]
    if not told:
        return f"{start}."
    most, found = max(told, key=lambda pair: pair[1])
    if most is first or found <= max(ALIKE[1], ratio(first) or 0):
        return f"{start}; no later step is changed more than that, compared with the noise."
    return f"{start}; at {most.step} {times(found)} times as much: {_both(most)}."


def _start(first: DriftStep) -> str:
    found = ratio(first)
    if found is None:
        return f"{first.step} is changed by {_both(first)}"
    return (
        f"At {first.step} the attack changes {_as_much(found)}, "
        f"{relative_percent(first.relative_l2)} of the response"
    )


def _both(one: DriftStep) -> str:
    """The attack's relative change, and the noise's."""
    return (
        f"{relative_percent(one.relative_l2)} against {relative_percent(one.noise_relative_l2)}"
        " by the noise"
    )


def _as_much(found: float) -> str:
    if ALIKE[0] <= found <= ALIKE[1]:
        return "about as much as the noise"
    return f"{times(found)} times as much as the noise"


def control_words(control: DriftControl) -> str:
    """The kind of noise, and the size of both."""
    return (
        f"The blue curve is {NOISES[control.kind]}: largest change {control.linf:g} of 255 and L2 "
        f"norm {control.l2:.0f}; the attack’s {control.attack_linf:g} and {control.attack_l2:.0f}."
    )


def rows(drift: Sequence[DriftStep]) -> tuple[DriftRow, ...]:
    """The table."""
    return tuple(
        DriftRow(
            one,
            relative_percent(one.relative_l2),
            relative_percent(one.noise_relative_l2),
            "" if (found := ratio(one)) is None else times(found),
        )
        for one in drift
    )


def charts(drift: Sequence[DriftStep]) -> tuple[LineChart, LineChart]:
    """Relative change and cosine over the steps, for attack and noise."""
    places = tuple((float(i), one.step) for i, one in enumerate(drift))

    def series(name: str, role: str, values: Sequence[float]) -> ChartSeries:
        return ChartSeries(name, role, tuple((float(i), value) for i, value in enumerate(values)))

    changes = (
        series("Attack", "attack", [one.relative_l2 for one in drift]),
        series("Random noise", "noise", [one.noise_relative_l2 for one in drift]),
    )
    angles = (
        series("Attack", "attack", [one.cosine for one in drift]),
        series("Random noise", "noise", [one.noise_cosine for one in drift]),
    )
    most = max(point[1] for one in changes for point in one.points)
    low = min(point[1] for one in angles for point in one.points)
    return (
        LineChart(
            "How much each step changed", "step of the network", places,
            ticks(most), changes, upright=True,
        ),
        LineChart(
            "Cosine between before and after", "step of the network", places,
            _cosines(low), angles, upright=True,
        ),
    )  # fmt: skip


def _cosines(low: float) -> tuple[tuple[float, str], ...]:
    """Ticks up to 1: from 0, or from -1 if a value is below zero."""
    return tuple(
        (y, number(y)) for y in ((0, 0.25, 0.5, 0.75, 1) if low >= 0 else (-1, -0.5, 0, 0.5, 1))
    )
