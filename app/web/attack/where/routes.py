"""Routes of “Where it happens”: how far every step drifts, and which channels cause it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.errors import BadRequest
from app.pictures.charts import chart_png
from app.services.attacks.drift import DriftControl, compare_steps, drift_control
from app.services.runs.pairs import PicturePair
from app.services.runs.run import Run
from app.services.runs.sheets import channels
from app.vision.attacks.drift import DriftStep
from app.web.attack.charting import charted
from app.web.attack.pair_query import PairDep, PairView, PairViewDep, show
from app.web.attack.where.contexts import WhereView
from app.web.attack.where.drift import charts, control_words, rows, sentence
from app.web.attack.where.layer import layer_view, thumbs
from app.web.attack.where.maps import figure_png, maps_png
from app.web.attack.where.pair import LayerPair, LayerView, checked, chosen
from app.web.core.base_path import base
from app.web.core.file_responses import Version, csv_response, file_response, png_response
from app.web.core.state import ServicesDep
from app.web.core.templating import render
from app.web.core.work import WorkDep
from app.web.panels.panel import AttackPanel

SAME = "Both pictures are the same, number for number: nothing changed at any step."

router = APIRouter(prefix="/where")

PANEL = AttackPanel(
    "where", "Where it happens", "At which step does a small change grow large?", router=router
)


@dataclass(frozen=True, slots=True)
class Both:
    """The finished runs of both pictures."""

    view: PairView
    pair: PicturePair
    clean: Run
    attacked: Run

    @property
    def same(self) -> bool:
        return self.pair.clean.equal(self.pair.attacked)


async def both_runs(view: PairViewDep, pair: PairDep, services: ServicesDep) -> AsyncIterator[Both]:
    """Both runs, kept in memory until the response is sent."""
    runs = services.runs
    async with (
        runs.listen(view.model, view.image) as clean,
        runs.listen(view.model, view.attacked) as attacked,
    ):
        await clean.finish()
        await attacked.finish()
        yield Both(view, pair, clean, attacked)


BothRunsDep = Annotated[Both, Depends(both_runs)]


async def layered(runs: BothRunsDep, view: Annotated[LayerView, Query()]) -> LayerPair:
    """The layer that the query names, by default the last."""
    named = view.changed(layer=chosen(runs.pair, view.layer))
    return checked(LayerPair(named, runs.pair, runs.clean, runs.attacked))


LayerDep = Annotated[LayerPair, Depends(layered)]


async def _drift(runs: Both, services: ServicesDep) -> tuple[DriftControl, tuple[DriftStep, ...]]:
    noise = await asyncio.to_thread(drift_control, runs.pair)
    return noise, await compare_steps(services.engine, runs.pair, runs.clean, runs.attacked, noise)


@router.get("")
async def panel(
    request: Request, side: WorkDep, runs: BothRunsDep, layer: LayerDep, services: ServicesDep
) -> Response:
    """The whole panel."""
    link = layer.url()
    if runs.same:
        where = WhereView(True, SAME, "", (), (), link, "", "", None)
    else:
        noise, drift = await _drift(runs, services)
        query = runs.view.query()
        where = WhereView(
            False,
            sentence(drift),
            control_words(noise),
            tuple(charted(one) for one in charts(drift)),
            rows(drift),
            link,
            f"{base()}/attack/where/drift.csv?{query}",
            f"{base()}/attack/where/drift.png?{query}",
            await side(layer_view, layer),
        )
    return show(request, PANEL.title, "attack/_where.html", {"where": where})


@router.get("/layer")
async def part(request: Request, side: WorkDep, runs: BothRunsDep, layer: LayerDep) -> Response:
    """One layer and the selected channel, for htmx; pushes the URL of the panel's own page."""
    context = {"layer": await side(layer_view, layer)}
    response = render(request, "attack/_where_layer.html", context)
    if urlsplit(request.headers.get("hx-current-url", "")).path == urlsplit(layer.url()).path:
        response.headers["HX-Push-Url"] = layer.url()
    return response


@router.get("/drift.csv")
async def drift_csv(runs: BothRunsDep, services: ServicesDep) -> Response:
    """The drift with every digit."""
    _, drift = await _drift(runs, services)
    head = ["step", "relative_l2", "cosine", "noise_relative_l2", "noise_cosine"]
    lines = [
        (one.step, one.relative_l2, one.cosine, one.noise_relative_l2, one.noise_cosine)
        for one in drift
    ]
    return csv_response(head, lines, "layerscope-drift.csv")


@router.get("/drift.png")
async def drift_png(runs: BothRunsDep, side: WorkDep, services: ServicesDep) -> Response:
    """The charts with their sentence."""
    noise, drift = await _drift(runs, services)
    words = f"{sentence(drift)} {control_words(noise)}"
    title = f"Where an attack happens: {runs.pair.model.row.title}"
    png = await side(chart_png, title, charts(drift), words, 760)
    return file_response(png, "image/png", False, "layerscope-drift.png")


@router.get("/channels.csv")
async def channels_csv(layer: LayerDep) -> Response:
    """The columns of a layer as a table."""
    names = ("original", "both", "target", "exploited")
    head = ["column", "channel", "clean", "attacked", "change"]
    lines = [
        (name, one.channel, one.clean, one.attacked, one.change)
        for name, column in zip(names, layer.columns.all, strict=True)
        for one in column.all
    ]
    return csv_response(head, lines, f"layerscope-{layer.step}.csv")


@router.get("/thumbs.png")
async def thumbs_png(
    layer: LayerDep,
    side: WorkDep,
    channels: Annotated[str, Query(max_length=2000)],
    v: Version = "",
) -> Response:
    """The small maps of the given channels, clean next to attacked."""
    wanted = _listed(layer, channels)
    png = await side(thumbs, layer, wanted)
    return png_response(png, layer.pair.model.row, v)


@router.get("/maps.png")
async def maps(layer: LayerDep, side: WorkDep, v: Version = "", save: bool = False) -> Response:
    """Clean, attacked and difference of one channel; with captions for download."""
    if layer.channel is None:
        raise BadRequest("Which channel? Add channel= and a number.")
    if save:
        png = await side(figure_png, layer, layer.channel)
        name = f"layerscope-{layer.step}-{layer.channel}.png"
        return file_response(png, "image/png", False, name)
    png = await side(maps_png, layer, layer.channel)
    return png_response(png, layer.pair.model.row, v)


def _listed(layer: LayerPair, wanted: str) -> tuple[int, ...]:
    """Channel numbers without duplicates. Raises `BadRequest`, `UnknownStep`."""
    record = next(one for one in layer.clean.records if one.step.name == layer.step)
    found = channels(record, wanted)
    if not wanted or len(set(found)) < len(found):
        raise BadRequest("channels must be numbers with commas, each once.")
    return found
