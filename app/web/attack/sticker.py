"""Panel of the adversarial patch: a sticker on a picture, moved by hand, and the prediction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.errors import NoClassifier, NotFound
from app.pictures.preprocess import input_png
from app.pictures.printable_stickers import LARGEST_CM, sticker_png, sticker_preview
from app.services.attacks.sticker_trial import StickerTrials, places, seen, stuck
from app.services.attacks.stickers import Sticker, Stickers, stickers_of
from app.services.networks.catalogue import Model
from app.services.networks.class_names import find_class
from app.services.runs.run import Run
from app.vision.attacks.sticker import random_colours
from app.web.attack.pair_query import show
from app.web.attack.panels import attack_panels
from app.web.attack.sticker_panel import (
    SentDep,
    StickerKept,
    StickerSeen,
    StickerView,
    StickerViewDep,
    panel_context,
    places_context,
    seen_context,
)
from app.web.core.base_path import base
from app.web.core.file_responses import Download, file_response
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.templating import render
from app.web.core.work import WorkDep
from app.web.panels.panel import AttackPanel, Panel, PanelsDep

router = APIRouter()

PANEL = AttackPanel(
    "sticker", "A sticker", "Can a thing next to it change the answer?", router=router
)

Part = Literal["sticker", "random", "alone", "print"]


@dataclass(frozen=True, slots=True)
class StickerQuery:
    """The stickers of a network and the selected one, None if it has none."""

    view: StickerView
    model: Model
    stickers: Stickers
    sticker: Sticker | None


async def find_sticker(view: StickerView, services: Services) -> StickerQuery:
    """The network and sticker of a view.

    Raises `UnknownModel`, `NoClassifier`, `BadRequest` for no class, `NotFound` for no sticker.
    """
    model = services.catalogue.model(view.model or services.settings.model)
    if not model.labels:
        raise NoClassifier(f"{model.row.title} has no classifier here: it predicts nothing.")
    found = await asyncio.to_thread(stickers_of, model)
    if not view.sticker:
        sticker = found.stickers[0] if found.stickers else None
    else:
        index = find_class(model.labels, view.sticker)
        sticker = found.of(index)
        if found.stickers and sticker is None:
            names = ", ".join(one.label for one in found.stickers)
            raise NotFound(
                f"There is no {model.labels[index].label} sticker for {model.row.title}. There are "
                f"stickers for: {names}."
            )
    meant = view.of(model.id, sticker.index) if sticker else view
    return StickerQuery(meant, model, found, sticker)


async def sticker_query(view: StickerViewDep, services: ServicesDep) -> StickerQuery:
    """The stickers that a query names."""
    return await find_sticker(view, services)


async def required_sticker(
    query: Annotated[StickerQuery, Depends(sticker_query)],
) -> tuple[StickerQuery, Sticker]:
    """The same where a sticker is required. Raises `NotFound`."""
    return query, require(query)


def require(query: StickerQuery) -> Sticker:
    """The selected sticker. Raises `NotFound` if the network has none."""
    if query.sticker is None:
        raise NotFound(f"There is no sticker for {query.model.row.title} yet.")
    return query.sticker


StickerQueryDep = Annotated[StickerQuery, Depends(sticker_query)]
RequiredStickerDep = Annotated[tuple[StickerQuery, Sticker], Depends(required_sticker)]


@asynccontextmanager
async def ready_run(query: StickerQuery, services: Services) -> AsyncIterator[Run]:
    """The finished run of the clean picture."""
    async with services.runs.listen(query.model.id, query.view.image) as run:
        await run.finish()
        yield run


async def predict_sticker(query: StickerQuery, sticker: Sticker, services: Services) -> StickerSeen:
    """Predictions for the sticker and for its control, in one forward pass."""
    async with ready_run(query, services) as run:
        view = query.view
        control = random_colours(sticker.pixels.shape[-1], view.seed)
        both = await seen(
            services.engine, run, [sticker.pixels, control], view.place, sticker.index
        )
        return seen_context(view, run, sticker, both)


@router.get("/sticker")
async def panel(request: Request, query: StickerQueryDep, services: ServicesDep) -> Response:
    """The panel, or how to make a sticker if this network has none."""
    await asyncio.to_thread(services.pictures.require, query.view.image)
    answer = await predict_sticker(query, query.sticker, services) if query.sticker else None
    context = panel_context(query.view, query.model, query.stickers, query.sticker, answer)
    return show(request, PANEL.title, "attack/_sticker.html", {"panel": context})


@router.get("/sticker/seen")
async def moved(request: Request, needed: RequiredStickerDep, services: ServicesDep) -> Response:
    """The prediction at another place: requested while the sticker is dragged."""
    context = await predict_sticker(*needed, services)
    return render(request, "attack/_sticker_seen.html", {"seen": context})


@router.get("/sticker/places")
async def hundred(
    request: Request, needed: RequiredStickerDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """A hundred random places on this picture, as a long job."""
    query, sticker = needed
    async with ready_run(query, services) as run:
        view, pixels = query.view, run.fitted.pixels
        both = sticker.pixels, random_colours(sticker.pixels.shape[-1], view.seed)
        job = services.engine.stream(
            owner,
            lambda: places(query.model, run.network, pixels, both, view.place.scale, view.seed),
        )
        async with aclosing(job) as items:
            parts = [item async for item in items if isinstance(item, StickerTrials)]
        context = places_context(view, run, sticker, parts)
    return show(request, "A hundred places", "attack/_sticker_places.html", {"tried": context})


@router.get("/sticker.png")
async def picture(
    needed: RequiredStickerDep,
    side: WorkDep,
    services: ServicesDep,
    part: Part = "print",
    size: Annotated[float, Query(ge=0.5, le=LARGEST_CM)] = 6.0,
    download: Download = "",
) -> Response:
    """The picture with the sticker or the random one; or the sticker alone, or to print."""
    query, sticker = needed
    if part in ("alone", "print"):
        make = (
            (lambda: sticker_preview(sticker.pixels))
            if part == "alone"
            else lambda: sticker_png(sticker.pixels, size, f"{sticker.label} sticker")
        )
        return file_response(await side(make), "image/png", False, download)
    view, pixels = query.view, sticker.pixels
    if part == "random":
        pixels = random_colours(pixels.shape[-1], view.seed)
    async with services.runs.listen(query.model.id, view.image) as run:
        data = input_png(stuck(run.fitted.pixels, pixels, view.place))
    return file_response(data, "image/png", False, download)


@router.post("/sticker")
async def keep(
    request: Request, view: SentDep, services: ServicesDep, owner: OwnerDep, panels: PanelsDep
) -> Response:
    """Store the picture with the sticker as an upload of the user."""
    query = await find_sticker(view, services)
    sticker = require(query)
    async with services.runs.listen(query.model.id, view.image) as run:
        png = input_png(stuck(run.fitted.pixels, sticker.pixels, view.place))
    stored = await asyncio.to_thread(
        services.pictures.add, png, owner, f"with a {sticker.label} sticker"
    )
    context = _kept(query, stored.id, services.settings.expire_hours, panels)
    return show(request, "Your picture", "attack/_sticker_kept.html", {"kept": context})


def _kept(query: StickerQuery, image: str, hours: float, panels: tuple[Panel, ...]) -> StickerKept:
    view, model = query.view, query.model.id
    pair = f"model={model}&image={view.image}&attacked={image}&target={view.sticker}"
    return StickerKept(
        image,
        f"{base()}/?model={model}&image={image}",
        f"{base()}/attack?model={model}&image={image}",
        tuple(
            (one, f"{base()}/attack/{one.id}?{pair}")
            for one in attack_panels(panels)
            if one.id != PANEL.id
        ),
        f"It is deleted after {hours:g} hours.",
    )
