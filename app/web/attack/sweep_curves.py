"""A sweep over epsilon as curves, a table and sentences."""

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
from app.web.core.templating import percent
from app.web.parts.contexts import helped

NAMES = {"pgd": "PGD", "fgsm": "FGSM"}
HOW = {
    "pgd": f"PGD in {STEPS} steps of a quarter of epsilon",
    "fgsm": "FGSM, one step of epsilon",
}
HEIGHTS = tuple((i / 4, f"{25 * i} %") for i in range(5))


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One epsilon as a line of the table."""

    epsilon: int = helped("How far every pixel value may move, of 255.")
    attack: str = helped("Probability of the first class under attack.")
    label: str = helped("What the network answers to the attacked picture.")
    target: str = helped("Probability of the target, empty without one.")
    noise: str = helped("Mean probability of the first class under random noise.")
    spread: str = helped("Its lowest and highest.")
    flipped: int = helped("How many of the noises changed the answer.")


@dataclass(frozen=True, slots=True)
class SweepView:
    """A sweep as far as it has come."""

    chart: Charted = helped("The curves.")
    attack: str = helped("What the attack did, in a sentence.")
    noise: str = helped("What random noise did.")
    how: str = helped("What was computed.")
    rows: tuple[SweepRow, ...] = helped("The table.")
    count: int = helped("How many epsilons are in.")
    seeds: int = helped("How many noises there are at each.")
    done: bool = helped("Whether all are in.")
    target: str = helped("The target's name, empty without one.")
    link: str = helped("The panel on a page of its own.")
    csv: str = helped("URL of the table.")
    png: str = helped("URL of the chart as a picture.")


def swept(asked: Sweep, points: Sequence[SweepPoint], query: str, done: bool) -> SweepView:
    """The points so far, in any order."""
    found = by_epsilon(list(points))
    labels = asked.pair.model.labels
    target = asked.pair.target
    return SweepView(
        charted(chart(asked, found, done)),
        attack_words(asked, found, done),
        noise_words(found, done),
        how(asked),
        tuple(_row(asked, found[0].attack.label, one) for one in found),
        len(found),
        SEEDS,
        done,
        "" if target is None else labels[target].label,
        f"/attack/sweep?{query}",
        f"/attack/sweep.csv?{query}",
        f"/attack/sweep.png?{query}",
    )


def chart(asked: Sweep, points: Sequence[SweepPoint], done: bool) -> LineChart:
    """Probabilities over epsilon, whose axis is stretched at its start by the square root."""
    start, target = points[0].attack.label, asked.pair.target
    labels = asked.pair.model.labels
    name, first = NAMES[asked.method], labels[start].label
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
    title = f"What {asked.pair.model.row.title} gives “{first}”"
    return LineChart(
        title, "epsilon, of 255", "probability", places, HEIGHTS, tuple(series), marks, room=2
    )


def _marks(points: Sequence[SweepPoint], start: int, target: int | None) -> tuple[ChartMark, ...]:
    falls = "falls at" if target is None else "gets there at"
    found = (
        (smallest_epsilon(points, attack_succeeded(start, target)), "attack", falls),
        (smallest_epsilon(points, noise_succeeded(start)), "noise", "noise first at"),
    )
    return tuple(
        ChartMark(epsilon**0.5, role, f"{words} {epsilon}")
        for epsilon, role, words in found
        if epsilon is not None
    )


def attack_words(asked: Sweep, points: Sequence[SweepPoint], done: bool) -> str:
    """Where the attack fell, or how far it has held."""
    start, target = points[0].attack.label, asked.pair.target
    labels, name = asked.pair.model.labels, NAMES[asked.method]
    first, last = labels[start].label, points[-1].epsilon
    changed = smallest_epsilon(points, prediction_changed(start))
    if target == start:
        return f"The target, “{first}”, is what the network sees already."
    if target is not None:
        return _aimed(points, start, target, labels[target].label, name)
    if changed is None:
        return f"Under {name} the answer stays “{first}” up to {last}{'' if done else ' so far'}."
    became = labels[next(p.attack.label for p in points if p.epsilon == changed)].label
    text = f"Under {name} the answer “{first}” falls at epsilon {changed}: “{became}”."
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
    """Where it holds once more at a larger epsilon: that happens, and is told."""
    held = [str(p.epsilon) for p in points if p.epsilon > first and not fell(p)]
    return f" At {', '.join(held)} it does not: more is not always worse." if held else ""


def noise_words(points: Sequence[SweepPoint], done: bool) -> str:
    """What random noise did."""
    start, last = points[0].attack.label, points[-1].epsilon
    first = smallest_epsilon(points, noise_succeeded(start))
    if first is None:
        return f"Random noise never changes the answer{'' if done else ' so far'}, up to {last}."
    count = sum(a.label != start for a in next(p.noise for p in points if p.epsilon == first))
    return f"Random noise first changes the answer at {first}, in {count} of {SEEDS} tries."


def how(asked: Sweep) -> str:
    """What was computed, and what was not."""
    return (
        f"{HOW[asked.method]}, at each epsilon from the clean picture anew; epsilon is whole, "
        "because in 8 bits less than 1 changes nothing. "
        f"Random noise moves every number up or down by epsilon, {SEEDS} times: the line is the "
        "mean, the band reaches from the lowest to the highest. Where something first changed, "
        "every whole epsilon since the one before was tried. The axis is stretched at its start."
    )


def lines(points: Sequence[SweepPoint]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Head and lines of the table as a file: every digit, and each noise."""
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


def _row(asked: Sweep, start: int, one: SweepPoint) -> SweepRow:
    low, high = _range(one)
    return SweepRow(
        one.epsilon,
        percent(one.attack.probability),
        asked.pair.model.labels[one.attack.label].label,
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
