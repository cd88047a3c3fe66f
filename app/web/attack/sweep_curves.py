"""A sweep over epsilon (robustness curve) as curves, a table and sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.pictures.charts import ChartMark, ChartSeries, LineChart
from app.services.attacks.sweeps import Sweep, by_epsilon
from app.vision.attacks.sweep import (
    EPSILONS,
    SEEDS,
    STEPS,
    SweepAnswer,
    SweepPoint,
    attack_succeeded,
    noise_succeeded,
    prediction_changed,
    smallest_epsilon,
)
from app.web.attack.charting import Charted, charted
from app.web.core.base_path import base
from app.web.core.templating import percent

NAMES = {"pgd": "PGD", "fgsm": "FGSM"}
HOW = {
    "pgd": f"PGD in {STEPS} steps of a quarter of epsilon",
    "fgsm": "FGSM, one step of epsilon",
}
HEIGHTS = tuple((i / 4, f"{25 * i} %") for i in range(5))


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One epsilon as a line of the table."""

    epsilon: int  # of 255
    attack: str  # probability of the first class under attack
    label: str  # the predicted class of the attacked picture
    target: str  # its probability; "" without one
    noise: str  # mean probability of the first class under random noise
    spread: str  # its lowest and highest
    flipped: int  # how many noises changed the prediction


@dataclass(frozen=True, slots=True)
class SweepView:
    """A sweep as far as it is computed."""

    chart: Charted
    attack: str  # its effect, in a sentence
    noise: str  # its effect, in a sentence
    how: str  # how it was computed
    rows: tuple[SweepRow, ...]
    count: int  # of epsilons so far
    seeds: int  # noises at each epsilon
    done: bool
    target: str  # "" without one
    link: str  # URL of the panel, on a page of its own
    csv: str
    png: str


def swept(sweep: Sweep, points: Sequence[SweepPoint], query: str, done: bool) -> SweepView:
    """The points so far, in any order."""
    found = by_epsilon(list(points))
    labels = sweep.pair.model.labels
    target = sweep.pair.target
    return SweepView(
        charted(chart(sweep, found, done)),
        attack_words(sweep, found, done),
        noise_words(found, done),
        how(sweep),
        tuple(_row(sweep, found[0].attack.label, one) for one in found),
        len(found),
        SEEDS,
        done,
        "" if target is None else labels[target].label,
        f"{base()}/attack/sweep?{query}",
        f"{base()}/attack/sweep.csv?{query}",
        f"{base()}/attack/sweep.png?{query}",
    )


def chart(sweep: Sweep, points: Sequence[SweepPoint], done: bool) -> LineChart:
    """Probabilities over epsilon; the axis is a square root, which stretches its start."""
    start, target = points[0].attack.label, sweep.pair.target
    labels = sweep.pair.model.labels
    name, first = NAMES[sweep.method], labels[start].label
    series = [
        ChartSeries(f"{first}, {name}", "attack", _curve(points, lambda p: p.attack.probability)),
        ChartSeries(
            f"{first}, random noise",
            "noise",
            _curve(points, _mean),
            tuple((_place(p), *_range(p)) for p in points),
        ),
    ]
    if target is not None:
        aimed = _curve(points, lambda p: p.attack.target or 0.0)
        series.append(ChartSeries(f"{labels[target].label}, {name}", "target", aimed))
    marks = _marks(points, start, target) if done else ()
    places = tuple((epsilon**0.5, str(epsilon)) for epsilon in EPSILONS)
    title = f"What {sweep.pair.model.row.title} gives “{first}”"
    return LineChart(title, "epsilon, of 255", places, HEIGHTS, tuple(series), marks, room=2)


def _marks(points: Sequence[SweepPoint], start: int, target: int | None) -> tuple[ChartMark, ...]:
    falls = "changes at" if target is None else "gets there at"
    found = (
        (smallest_epsilon(points, attack_succeeded(start, target)), "attack", falls),
        (smallest_epsilon(points, noise_succeeded(start)), "noise", "noise first at"),
    )
    return tuple(
        ChartMark(epsilon**0.5, role, f"{words} {epsilon}")
        for epsilon, role, words in found
        if epsilon is not None
    )


def attack_words(sweep: Sweep, points: Sequence[SweepPoint], done: bool) -> str:
    """The epsilon at which the attack succeeded, or up to which the prediction held."""
    start, target = points[0].attack.label, sweep.pair.target
    labels, name = sweep.pair.model.labels, NAMES[sweep.method]
    first, last = labels[start].label, points[-1].epsilon
    changed = smallest_epsilon(points, prediction_changed(start))
    if target == start:
        return f"The target, “{first}”, is what the network already sees."
    if target is not None:
        return _aimed(points, start, target, labels[target].label, name)
    if changed is None:
        return f"Under {name} the answer stays “{first}” up to {last}{'' if done else ' so far'}."
    became = labels[next(p.attack.label for p in points if p.epsilon == changed)].label
    text = f"Under {name} the answer “{first}” changes to “{became}” at epsilon {changed}."
    return text + _again(points, prediction_changed(start), changed)


def _aimed(points: Sequence[SweepPoint], start: int, target: int, aim: str, name: str) -> str:
    there, changed = (
        smallest_epsilon(points, attack_succeeded(start, target)),
        smallest_epsilon(points, prediction_changed(start)),
    )
    if there is None:
        text = f"{name} does not get to “{aim}” up to {points[-1].epsilon}"
        return f"{text}." if changed is None else f"{text}; the answer changes at {changed}."
    text = f"{name} gets to “{aim}” at epsilon {there}"
    text += "." if changed == there else f"; the answer changes at {changed}."
    return text + _again(points, attack_succeeded(start, target), there)


def _again(points: Sequence[SweepPoint], fell: Callable[[SweepPoint], bool], first: int) -> str:
    """The prediction is right again at a larger epsilon: that happens, and is reported."""
    held = [str(p.epsilon) for p in points if p.epsilon > first and not fell(p)]
    return f" At {', '.join(held)} it does not: larger is not always stronger." if held else ""


def noise_words(points: Sequence[SweepPoint], done: bool) -> str:
    """The effect of random noise."""
    start, last = points[0].attack.label, points[-1].epsilon
    first = smallest_epsilon(points, noise_succeeded(start))
    if first is None:
        so_far = "" if done else " so far"
        return (
            f"Random noise changed the answer at no epsilon tried{so_far}, up to {last}, in "
            f"{SEEDS} tries each."
        )
    count = sum(a.label != start for a in next(p.noise for p in points if p.epsilon == first))
    return f"Random noise first changes the answer at {first}, in {count} of {SEEDS} tries."


def how(sweep: Sweep) -> str:
    """How it was computed, and what was not."""
    return (
        f"{HOW[sweep.method]}, started from the clean picture at each epsilon; epsilon is whole, "
        "because in 8 bits less than 1 changes nothing. "
        f"Random noise moves every number up or down by epsilon, {SEEDS} times: the line is the "
        "mean, the band reaches from the lowest to the highest. Where something first changed, "
        "every whole epsilon from the one before was tried. The axis is stretched at its start."
    )


def lines(points: Sequence[SweepPoint]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Header and lines of the table as a file: every digit, and each noise."""
    noises = (f"{name}_{i}" for i in range(1, SEEDS + 1) for name in ("noise", "noise_class"))
    head = ("epsilon", "probability", "class", "target_probability", *noises)
    return head, [
        (
            one.epsilon,
            one.attack.probability,
            one.attack.label,
            "" if one.attack.target is None else one.attack.target,
            *(value for a in one.noise for value in (a.probability, a.label)),
        )
        for one in points
    ]


def _row(sweep: Sweep, start: int, one: SweepPoint) -> SweepRow:
    low, high = _range(one)
    return SweepRow(
        one.epsilon,
        percent(one.attack.probability),
        sweep.pair.model.labels[one.attack.label].label,
        "" if one.attack.target is None else percent(one.attack.target),
        percent(_mean(one)),
        f"{percent(low)} to {percent(high)}",
        sum(answer.label != start for answer in one.noise),
    )


def _place(one: SweepPoint) -> float:
    return float(one.epsilon**0.5)


def _curve(
    points: Sequence[SweepPoint], value: Callable[[SweepPoint], float]
) -> tuple[tuple[float, float], ...]:
    return tuple((_place(one), value(one)) for one in points)


def _shares(answers: Sequence[SweepAnswer]) -> list[float]:
    return [one.probability for one in answers]


def _mean(one: SweepPoint) -> float:
    return sum(_shares(one.noise)) / len(one.noise)


def _range(one: SweepPoint) -> tuple[float, float]:
    return min(_shares(one.noise)), max(_shares(one.noise))
