"""What the templates of “Without any attack” are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from torch import Tensor

from app.pictures.augment import Change
from app.services.sheets import DRAWING
from app.services.varied import SLIDERS, Curve, Curves, Point, Slider
from app.vision.predict import Ranked
from app.web.attack.contexts import Bar
from app.web.attack.parts import bars
from app.web.contexts import helped
from app.web.templating import percent
from models.classes import Label

WIDTH, HEIGHT = 300, 64
"""Of a chart, in units of its own."""

PLAIN = Change()


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What the panel's URL says: a network, a picture, what is done to it."""

    model: str
    image: str
    change: Change

    def query(self, **other: object) -> str:
        """As a query string, perhaps with another change; what is plain is left out."""
        change = replace(self.change, **other)  # type: ignore[arg-type]
        named = {"model": self.model, "image": self.image}
        values = {one.id: getattr(change, one.id) for one in SLIDERS}
        moved = {id: f"{v:g}" for id, v in values.items() if v != getattr(PLAIN, id)}
        flip = {"flip": "1"} if change.flip else {}
        edge = {} if change.mirrored else {"edge": "black"}
        return urlencode({**named, **moved, **flip, **edge})

    def url(self, part: str = "", **other: object) -> str:
        """The panel, or a `part` of it, perhaps with another change."""
        return f"/attack/change{part}?{self.query(**other)}"


@dataclass(frozen=True, slots=True)
class Knob:
    """One slider."""

    slider: Slider = helped("Its range and what it is called.")
    value: str = helped("Where it stands.")
    unit: str = helped("What follows the number.")


@dataclass(frozen=True, slots=True)
class Now:
    """The photo as it is changed now."""

    picture: str = helped("URL of the network's input.")
    side: int = helped("Pixels of a side.")
    bars: tuple[Bar, ...] = helped("The five likeliest classes.")
    held: bool = helped("Whether the likeliest class is that of the photo as it is.")
    sentence: str = helped("The same in a sentence.")
    edge: str = helped("What lies beyond the photo's edge, in a sentence.")
    other_edge: str = helped("The panel with the other edge.")
    other_words: str = helped("What that other edge is called.")
    rest: str = helped("The panel with nothing changed.")
    link: str = helped("The panel with this change, on a page of its own.")


@dataclass(frozen=True, slots=True)
class ChangePanel:
    """The whole panel."""

    view: ChangeView = helped("Network, picture, change.")
    knobs: tuple[Knob, ...] = helped("The sliders.")
    now: Now = helped("The photo as it is changed now.")
    charts: str = helped("URL of the charts.")
    csv: str = helped("URL of their numbers.")


@dataclass(frozen=True, slots=True)
class Mark:
    """A value at which the answer changes."""

    x: float = helped("Its place on the chart.")
    words: str = helped("What it becomes there.")


@dataclass(frozen=True, slots=True)
class Chart:
    """The first class's probability over a slider's whole range."""

    id: str = helped("The slider.")
    title: str = helped("What it is called.")
    line: str = helped("Points of the curve, for SVG.")
    plain: float = helped("Where nothing is changed.")
    marks: tuple[Mark, ...] = helped("Where the answer changes first, on either side.")
    ends: tuple[str, str] = helped("The lowest and the highest value, in words.")
    sentence: str = helped("The chart in words.")


def now(
    view: ChangeView, labels: Sequence[Label], pixels: Tensor, plain: Ranked, ranked: list[Ranked]
) -> Now:
    """What the network says to the changed photo."""
    first, change = ranked[0], view.change
    held = first.index == plain.index
    mirrored = "the photo’s mirror image" if change.mirrored else "black"
    return Now(
        f"{view.url('.png')}&v={DRAWING}",
        pixels.shape[1],
        bars(labels, ranked, plain.index),
        held,
        _sentence(labels, plain, first, changed=replace(change, mirrored=True) != PLAIN),
        f"What turns in from beyond the photo’s edge is {mirrored}.",
        view.url(mirrored=not change.mirrored),
        "Black instead" if change.mirrored else "Its mirror image instead",
        f"/attack/change?{ChangeView(view.model, view.image, PLAIN).query()}",
        view.url(),
    )


def knobs(change: Change) -> tuple[Knob, ...]:
    """Every slider where it stands."""
    return tuple(Knob(one, f"{getattr(change, one.id):g}", one.unit.strip()) for one in SLIDERS)


def charts(found: Curves, labels: Sequence[Label]) -> tuple[Chart, ...]:
    """A chart for every slider."""
    return tuple(_chart(curve, labels, labels[found.plain.index].label) for curve in found.curves)


def flip_words(found: Curves, labels: Sequence[Label]) -> str:
    """What becomes of it in the mirror."""
    first = found.flipped.first
    label = labels[first.index].label
    verb = "stays" if first.index == found.plain.index else "becomes"
    return f"Flipped it {verb} “{label}” ({percent(first.probability)})."


def _chart(curve: Curve, labels: Sequence[Label], first: str) -> Chart:
    slider = curve.slider

    def x(value: float) -> float:
        return round(WIDTH * (value - slider.least) / (slider.most - slider.least), 2)

    line = " ".join(f"{x(one.value):g},{HEIGHT * (1 - one.share):.2f}" for one in curve.points)
    return Chart(
        slider.id,
        slider.title,
        line,
        x(slider.plain),
        tuple(Mark(x(one.value), _becomes(slider, one, labels)) for one in curve.borders),
        (f"{slider.least:g}{slider.unit}", f"{slider.most:g}{slider.unit}"),
        _holds(curve, labels, first),
    )


def _holds(curve: Curve, labels: Sequence[Label], first: str) -> str:
    if not curve.borders:
        return f"Stays “{first}” at every value tried."
    text = ", ".join(_becomes(curve.slider, one, labels) for one in curve.borders)
    return text[0].upper() + text[1:] + "."


def _becomes(slider: Slider, point: Point, labels: Sequence[Label]) -> str:
    label = labels[point.first.index].label
    return f"{_how(slider, point.value)} it becomes “{label}”"


def _how(slider: Slider, value: float) -> str:
    match slider.id:
        case "turn":
            return f"turned by {abs(value):g}° to the {'left' if value < 0 else 'right'}"
        case "zoom":
            return f"zoomed in to {value:g} %"
        case name:
            return f"at {value:g} % {name}"


def _sentence(labels: Sequence[Label], plain: Ranked, first: Ranked, changed: bool) -> str:
    was, now = labels[plain.index].label, labels[first.index].label
    share = percent(first.probability)
    if not changed:
        return f"As it is: “{was}” ({share}). Move a slider."
    if plain.index == first.index:
        return f"Still “{was}” ({share})."
    return f"No attack, and yet “{was}” has become “{now}” ({share})."
