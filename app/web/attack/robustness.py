"""Panel “Without any attack”, robustness: the photo rotated, zoomed, relit; does the class hold?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from torch import Tensor

from app.errors import NoClassifier
from app.pictures.photo_changes import PhotoChange, ScaledPhoto, transform_photo
from app.pictures.preprocess import input_png
from app.services.attacks.robustness_curves import (
    SLIDERS,
    ChangeSlider,
    CurvePoint,
    RobustnessCurve,
    RobustnessCurves,
    curves,
)
from app.services.networks.catalogue import Model
from app.services.runs.batch_inference import logits_of
from app.services.runs.run import preprocess
from app.services.runs.sheets import DRAWING
from app.vision.predict import RankedClass, top
from app.web.attack.change_view import PLAIN, ChangeView
from app.web.attack.class_bars import ClassShareBar, class_bars
from app.web.attack.pair_query import show
from app.web.attack.slider_responses import is_part, push_panel_url
from app.web.core.file_responses import Download, csv_response, file_response
from app.web.core.htmx import by_htmx
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.templating import percent, render
from app.web.core.work import WorkDep
from app.web.panels.panel import AttackPanel
from app.web.parts.contexts import helped
from models.classes import Label
from models.graph import Network

WIDTH, HEIGHT = 300, 64
"""Size of a chart, in its own units."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One slider."""

    slider: ChangeSlider
    value: str
    unit: str  # after the value


@dataclass(frozen=True, slots=True)
class CurrentAnswer:
    """The prediction for the transformed photo."""

    picture: str  # URL of the network's input
    side: int  # of the picture, pixels
    bars: tuple[ClassShareBar, ...]
    held: bool  # whether the predicted class is that of the original photo
    sentence: str
    edge: str  # how pixels outside the photo are filled, in a sentence
    other_edge: str  # URL of the panel with the other edge
    other_words: str
    rest: str  # URL of the panel with the original photo
    link: str  # URL of the panel, on a page of its own


@dataclass(frozen=True, slots=True)
class ChangePanel:
    """The whole panel."""

    view: ChangeView = helped("Network, picture, transformation.")
    knobs: tuple[Knob, ...] = helped("The sliders.")
    now: CurrentAnswer = helped("The prediction for the transformed photo.")
    charts: str = helped("URL of the charts.")
    csv: str = helped("URL of their numbers.")


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """A value at which the prediction changes."""

    x: float  # on the chart
    words: str  # the prediction from there on


@dataclass(frozen=True, slots=True)
class SliderChart:
    """The probability of the first predicted class over a slider's whole range."""

    id: str  # of the slider
    title: str
    line: str  # SVG points
    plain: float  # the x of the original photo
    marks: tuple[AnswerChange, ...]  # where the prediction changes first, on either side
    ends: tuple[str, str]  # the lowest and the highest value, in words
    sentence: str


def now(
    view: ChangeView,
    labels: Sequence[Label],
    pixels: Tensor,
    plain: RankedClass,
    ranked: list[RankedClass],
) -> CurrentAnswer:
    """The prediction for the transformed photo."""
    first, change = ranked[0], view.change
    held = first.index == plain.index
    mirrored = "the photo’s mirror image" if change.mirrored else "black"
    return CurrentAnswer(
        f"{view.part('.png')}&v={DRAWING}",
        pixels.shape[1],
        class_bars(labels, ranked, plain.index),
        held,
        _sentence(labels, plain, first, changed=replace(change, mirrored=True) != PLAIN),
        f"The area beyond the photo’s edge shows {mirrored}.",
        view.url(edge="black" if change.mirrored else "mirror"),
        "Black instead" if change.mirrored else "Its mirror image instead",
        view.unchanged.url(),
        view.url(),
    )


def knobs(change: PhotoChange) -> tuple[Knob, ...]:
    """Every slider with its current value."""
    return tuple(Knob(one, f"{getattr(change, one.id):g}", one.unit.strip()) for one in SLIDERS)


def charts(curves: RobustnessCurves, labels: Sequence[Label]) -> tuple[SliderChart, ...]:
    """A chart for every slider."""
    return tuple(_chart(curve, labels, labels[curves.plain.index].label) for curve in curves.curves)


def flip_words(curves: RobustnessCurves, labels: Sequence[Label]) -> str:
    """The prediction for the mirrored photo."""
    first = curves.flipped.first
    label = labels[first.index].label
    verb = "stays" if first.index == curves.plain.index else "becomes"
    return f"Flipped it {verb} “{label}” ({percent(first.probability)})."


def _chart(curve: RobustnessCurve, labels: Sequence[Label], first: str) -> SliderChart:
    slider = curve.slider

    def x(value: float) -> float:
        return round(WIDTH * (value - slider.least) / (slider.most - slider.least), 2)

    line = " ".join(f"{x(one.value):g},{HEIGHT * (1 - one.share):.2f}" for one in curve.points)
    return SliderChart(
        slider.id,
        slider.title,
        line,
        x(slider.plain),
        tuple(AnswerChange(x(one.value), _becomes(slider, one, labels)) for one in curve.borders),
        (f"{slider.least:g}{slider.unit}", f"{slider.most:g}{slider.unit}"),
        _holds(curve, labels, first),
    )


def _holds(curve: RobustnessCurve, labels: Sequence[Label], first: str) -> str:
    if not curve.borders:
        return f"Stays “{first}” at every value tried."
    text = ", ".join(_becomes(curve.slider, one, labels) for one in curve.borders)
    return text[0].upper() + text[1:] + "."


def _becomes(slider: ChangeSlider, point: CurvePoint, labels: Sequence[Label]) -> str:
    label = labels[point.first.index].label
    return f"{_how(slider, point.value)} it becomes “{label}”"


def _how(slider: ChangeSlider, value: float) -> str:
    match slider.id:
        case "turn":
            return f"turned by {abs(value):g}° to the {'left' if value < 0 else 'right'}"
        case "zoom":
            return f"zoomed in to {value:g} %"
        case name:
            return f"at {value:g} % {name}"


def _sentence(
    labels: Sequence[Label], plain: RankedClass, first: RankedClass, changed: bool
) -> str:
    was, now = labels[plain.index].label, labels[first.index].label
    share = percent(first.probability)
    if not changed:
        return f"As it is: “{was}” ({share}). Move a slider."
    if plain.index == first.index:
        return f"Still “{was}” ({share})."
    return f"No attack, and yet “{was}” has become “{now}” ({share})."


router = APIRouter()

PANEL = AttackPanel(
    "change", "Without any attack", "Turned, brighter, darker: does the answer stay?", router=router
)

CHARTS = "Without any attack: every slider over its whole range"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class RobustnessQuery:
    """The network and the photo that a query names."""

    view: ChangeView
    model: Model
    network: Network
    photo: ScaledPhoto


async def robustness_query(
    view: Annotated[ChangeView, Query()], services: ServicesDep
) -> RobustnessQuery:
    """Look both up. Raises `UnknownModel`, `UnknownPicture`, `NoClassifier`, `WeightsMissing`."""
    model = services.catalogue.model(view.model)
    image = await asyncio.to_thread(services.pictures.open, view.image)
    if not model.labels:
        raise NoClassifier(f"{model.row.title} has no classifier here: it predicts nothing.")
    network = await services.catalogue.network(view.model)
    return RobustnessQuery(view, model, network, ScaledPhoto(image, preprocess(model)))


RobustnessQueryDep = Annotated[RobustnessQuery, Depends(robustness_query)]


@router.get("/change")
async def change(
    request: Request, side: WorkDep, query: RobustnessQueryDep, services: ServicesDep
) -> Response:
    """The panel; for its own form only the prediction."""
    view, model = query.view, query.model

    def both() -> tuple[Tensor, Tensor]:
        return transform_photo(query.photo, PLAIN), transform_photo(query.photo, view.change)

    plain, pixels = await side(both)
    rows = await logits_of(services.engine, model, query.network, (plain, pixels))
    answer = now(view, model.labels, pixels, top(rows[0], 1)[0], top(rows[1], SHOWN))
    if is_part(request, "change-now"):
        response = render(request, "attack/_change_now.html", {"now": answer})
        return push_panel_url(request, response, view.query())
    panel = ChangePanel(
        view, knobs(view.change), answer, _of_all(view, "/charts"), _of_all(view, ".csv")
    )
    return show(request, PANEL.title, "attack/_change.html", {"panel": panel})


@router.get("/change.png")
async def change_png(
    query: RobustnessQueryDep, side: WorkDep, v: str = "", download: Download = ""
) -> Response:
    """The transformed photo as the network gets it, exactly the 8 bits that it classified."""
    pixels = await side(transform_photo, query.photo, query.view.change)
    return file_response(input_png(pixels), "image/png", v == str(DRAWING), download)


@router.get("/change/charts")
async def change_charts(
    request: Request, query: RobustnessQueryDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """Every slider over its whole range, the others at their defaults."""
    found = await _curves(query, services, owner)
    labels = query.model.labels
    context = {
        "charts": charts(found, labels),
        "label": labels[found.plain.index].label,
        "flip": flip_words(found, labels),
        "csv": _of_all(query.view, ".csv"),
        "apart": by_htmx(request),
    }
    return show(request, CHARTS, "attack/_change_charts.html", context)


@router.get("/change.csv")
async def change_csv(query: RobustnessQueryDep, services: ServicesDep, owner: OwnerDep) -> Response:
    """A line for each point of each chart, and for each value at which the prediction changes."""
    found = await _curves(query, services, owner)
    labels = query.model.labels
    first = labels[found.plain.index].label
    points = [("flip", found.flipped, False)]
    for curve in found.curves:
        points += [(curve.slider.id, one, False) for one in curve.points]
        points += [(curve.slider.id, one, True) for one in curve.borders]
    rows = (
        (id, one.value, one.share, labels[one.first.index].label, one.first.probability, int(new))
        for id, one, new in points
    )
    head = ["slider", "value", f"probability of {first}", "label", "probability", "first change"]
    return csv_response(head, rows, "layerscope-without-attack.csv")


async def _curves(query: RobustnessQuery, services: Services, owner: str) -> RobustnessCurves:
    mirrored = query.view.change.mirrored
    return await curves(services.engine, owner, query.model, query.network, query.photo, mirrored)


def _of_all(view: ChangeView, part: str) -> str:
    """The URL of the charts: they start from the original photo, whatever the sliders say."""
    return view.unchanged.changed(edge=view.edge).part(part)
