"""“Without any attack”: the photo turned, zoomed into, relit, and how far the answer holds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from torch import Tensor

from app.errors import BadRequest, NoClassifier
from app.pictures.augment import Change, Photo, changed
from app.pictures.preprocess import input_png
from app.services.asking import logits_of
from app.services.catalogue import Model
from app.services.run import preprocess
from app.services.sheets import DRAWING
from app.services.varied import SLIDERS, Curves, curves
from app.vision.predict import top
from app.web.api.answers import Download, kept, table
from app.web.attack.change_contexts import (
    PLAIN,
    ChangePanel,
    ChangeView,
    charts,
    flip_words,
    knobs,
    now,
)
from app.web.attack.frame import show
from app.web.attack.parts import addressed, is_part, strength
from app.web.htmx import by_htmx
from app.web.state import OwnerDep, Services, ServicesDep
from app.web.templating import render
from models.graph import Network

router = APIRouter()

TITLE = "Without any attack"
CHARTS = "Without any attack: every slider over its whole range"
SHOWN = 5
EDGES = ("mirror", "black")

Name = Annotated[str, Query(max_length=200)]


def asked(request: Request, model: Name, image: Name) -> ChangeView:
    """What the query says, not looked up yet. Raises `BadRequest`."""
    edge = request.query_params.get("edge", EDGES[0])
    if edge not in EDGES:
        raise BadRequest(f"edge is {' or '.join(EDGES)}, not “{edge[:40]}”.")
    values = {one.id: strength(request, one.id, one.least, one.most, one.plain) for one in SLIDERS}
    flip = request.query_params.get("flip", "") not in ("", "0")
    change = Change(**values, flip=flip, mirrored=edge == EDGES[0])
    return ChangeView(model, image, change)


@dataclass(frozen=True, slots=True)
class Given:
    """The network and the photo that a query names."""

    view: ChangeView
    model: Model
    network: Network
    photo: Photo


async def looked_up(view: Annotated[ChangeView, Depends(asked)], services: ServicesDep) -> Given:
    """Raises `UnknownModel`, `UnknownPicture`, `NoClassifier`, `WeightsMissing`."""
    model = services.catalogue.model(view.model)
    image = await asyncio.to_thread(services.pictures.open, view.image)
    if not model.labels:
        raise NoClassifier(f"{model.row.title} has no classifier here: it predicts nothing.")
    network = await services.catalogue.network(view.model)
    return Given(view, model, network, Photo(image, preprocess(model)))


GivenDep = Annotated[Given, Depends(looked_up)]


@router.get("/change")
async def change(request: Request, given: GivenDep, services: ServicesDep) -> Response:
    """The panel; for its own form the answer alone."""
    view, model = given.view, given.model

    def both() -> tuple[Tensor, Tensor]:
        return changed(given.photo, PLAIN), changed(given.photo, view.change)

    plain, pixels = await asyncio.to_thread(both)
    rows = await logits_of(services.engine, model, given.network, (plain, pixels))
    answer = now(view, model.labels, pixels, top(rows[0], 1)[0], top(rows[1], SHOWN))
    if is_part(request, "change-now"):
        response = render(request, "attack/_change_now.html", {"now": answer})
        return addressed(request, response, view.query())
    panel = ChangePanel(
        view, knobs(view.change), answer, _of_all(view, "/charts"), _of_all(view, ".csv")
    )
    return show(request, TITLE, "attack/_change.html", {"panel": panel})


@router.get("/change.png")
async def change_png(given: GivenDep, v: str = "", download: Download = "") -> Response:
    """The changed photo as the network gets it, exactly the 8 bits it was asked about."""
    pixels = await asyncio.to_thread(changed, given.photo, given.view.change)
    return kept(input_png(pixels), "image/png", v == str(DRAWING), download)


@router.get("/change/charts")
async def change_charts(
    request: Request, given: GivenDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """Every slider over its whole range, the others at rest."""
    found = await _curves(given, services, owner)
    labels = given.model.labels
    context = {
        "charts": charts(found, labels),
        "label": labels[found.plain.index].label,
        "flip": flip_words(found, labels),
        "csv": _of_all(given.view, ".csv"),
        "apart": by_htmx(request),
    }
    return show(request, CHARTS, "attack/_change_charts.html", context)


@router.get("/change.csv")
async def change_csv(given: GivenDep, services: ServicesDep, owner: OwnerDep) -> Response:
    """A line for each point of each chart, and for each value at which the answer changes."""
    found = await _curves(given, services, owner)
    labels = given.model.labels
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
    return table(head, rows, "layerscope-without-attack.csv")


async def _curves(given: Given, services: Services, owner: str) -> Curves:
    mirrored = given.view.change.mirrored
    return await curves(services.engine, owner, given.model, given.network, given.photo, mirrored)


def _of_all(view: ChangeView, part: str) -> str:
    """The charts' address: they are of the photo as it is, whatever the sliders say."""
    rest = ChangeView(view.model, view.image, Change(mirrored=view.change.mirrored))
    return rest.url(part)
