"""The panel of a unit's crops: which parts of pictures activate it most?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.errors import NotFound
from app.services.atlas.crop_sources import (
    SAMPLES,
    UPLOADS,
    AtlasCropSource,
    CropSource,
    convolution,
)
from app.services.networks.catalogue import Model
from app.services.runs.arithmetic import checked_cell, checked_channel
from app.services.runs.peaks import PeakEntry
from app.services.runs.run import Run
from app.services.runs.sheets import version
from app.services.surveys.survey import SurveyProgress
from app.web.core.base_path import base
from app.web.core.links import View
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.templating import render
from app.web.panels.panel import unit_link
from app.web.parts.contexts import helped
from app.web.parts.crop_query import atlases, command, crop_url, out_of, source_of
from app.web.parts.preference_bars import PreferenceBar
from app.web.parts.unit_query import UnitViewDep
from models.graph import Step


@dataclass(frozen=True, slots=True)
class CropView:
    """One of a unit's strongest crops."""

    rank: int  # 1 is the strongest
    value: float  # the peak there
    image: str  # URL of the crop
    projection: str  # URL; "" if not available
    url: str  # of the whole picture; "" if that is private
    name: str  # title of the picture
    words: str  # for tooltips and screen readers


@dataclass(frozen=True, slots=True)
class CollectionChoice:
    """A collection of pictures to choose."""

    title: str
    url: str  # the panel with it
    shown: bool


@dataclass(frozen=True, slots=True)
class CropsPanel:
    """The whole panel."""

    unit: str = helped("The convolution and its channel, in words.")
    crops: tuple[CropView, ...] = helped("Up to nine crops, strongest first.")
    out_of: str = helped("Of which pictures they are the strongest, in words.")
    collections: tuple[CollectionChoice, ...] = helped("Collections to choose from.")
    classes: tuple[PreferenceBar, ...] = helped(
        "The classes it prefers, if the pictures have classes."
    )
    side: int = helped("Side of a crop in pixels of the network's input.")
    whole: bool = helped("Whether a crop is as large as the picture or larger.")
    progress: SurveyProgress | None = helped(
        "Progress of the survey of the built-in pictures, None if finished."
    )
    again: str = helped("URL to poll while the survey runs.")
    refused: tuple[str, ...] = helped("A sentence for each atlas that cannot be used.")
    command: str = helped("The command that makes an atlas of a folder; empty if there is one.")
    png: str = helped("URL of the crops as one picture.")
    csv: str = helped("URL of the table of crops.")


def has_crops(view: View, model: Model, step: Step) -> bool:
    """Whether a unit's numbers come from one convolution."""
    return view.channel is not None and convolution(model, step.name, view.channel) is not None


def table_url(model: str, of: str, step: str, channel: int, kind: str) -> str:
    """All crops of a unit as one file."""
    return f"{base()}/crops/{quote(model)}/{quote(of)}/{quote(step)}/{channel}.{kind}"


def crop_views(
    run: Run, source: CropSource, at: tuple[str, int], mine: frozenset[str], keep: int = 9
) -> tuple[CropView, ...]:
    """The crops of a unit; `mine` are the viewer's uploads."""
    won = source.ranking(*at)[:keep]
    return tuple(_view(run, source, at, one, rank, mine) for rank, one in enumerate(won, 1))


def classes(source: CropSource, at: tuple[str, int]) -> tuple[PreferenceBar, ...]:
    """The five classes that activate a unit most, if the pictures lie in folders of classes."""
    if not isinstance(source, AtlasCropSource):
        return ()
    found = source.atlas.preferred(*at)
    longest = max((abs(value) for _, value in found), default=0.0) or 1.0
    labels = {label.wnid: label.label for label in source.model.labels}
    return tuple(
        PreferenceBar(labels.get(name, name), value, max(0.0, value) / longest)
        for name, value in found
    )


def _view(
    run: Run,
    source: CropSource,
    at: tuple[str, int],
    won: PeakEntry,
    rank: int,
    mine: frozenset[str],
) -> CropView:
    step, channel = at
    model, name, image = run.model, source.name(won.number), source.image(won.number)
    y, x = divmod(won.cell, model.geometry[step].shape[2])
    stamp = f"?v={version(model.row)}" if source.immutable else ""
    url = ""
    if image is None:
        url = crop_url(model.id, source.id, step, channel, won.number, "")
    elif source.immutable or image in mine:
        url = View(model=model.id, image=image, step=step, channel=channel, y=y, x=x).url()
    projection = crop_url(model.id, source.id, step, channel, won.number, "/projection.png")
    called = name or ("A picture of yours" if image in mine else "Another user's picture")
    return CropView(
        rank,
        won.value,
        crop_url(model.id, source.id, step, channel, won.number) + stamp,
        projection + stamp if source.has_whole_picture(won.number) else "",
        url if source.has_whole_picture(won.number) else "",
        called,
        f"{called}: peak {won.value:.3g} at row {y}, column {x}",
    )


router = APIRouter()

PATH = "/crops/panel"

PATIENCE = 0.4
"""Seconds that a panel waits for the survey before it shows its progress."""


@router.get("/panel")
async def panel(
    request: Request,
    services: ServicesDep,
    owner: OwnerDep,
    view: UnitViewDep,
    of: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The content of the panel."""
    step, channel = view.step or "", view.channel or 0
    async with services.runs.listen(view.model, view.image) as run:
        record = await run.record(step)
        checked_cell(run, record, checked_channel(record, channel), view.y, view.x)
        if (at := convolution(run.model, step, channel)) is None:
            raise NotFound(f"{step} sees the whole picture at once: there is nothing to cut out.")
        made = await _panel(services, owner, view, run, at, of)
    return render(request, "partials/_crops.html", {"panel": made})


async def _panel(
    services: Services, owner: str, view: View, run: Run, at: tuple[str, int], of: str
) -> CropsPanel:
    model = run.model
    found = await asyncio.to_thread(atlases, services, model)
    asked = of or (found.atlases[0].id if found.atlases else SAMPLES)
    source = await source_of(services, model, asked, PATIENCE)
    where = model.geometry[at[0]]
    again = f"{base()}{PATH}?{unit_link(view)}"
    titles = [(one.id, one.title) for one in found.atlases]
    titles.append((SAMPLES, "Built-in pictures"))
    if services.gathered:
        titles.append((UPLOADS, "Uploaded pictures"))
    mine = frozenset(one.id for one in services.pictures.recent(owner, 1000))
    waiting = isinstance(source, SurveyProgress)
    return CropsPanel(
        unit=f"{at[0]}, map {at[1]}",
        crops=() if isinstance(source, SurveyProgress) else crop_views(run, source, at, mine),
        out_of="" if isinstance(source, SurveyProgress) else out_of(services, source),
        collections=tuple(CollectionChoice(t, f"{again}&of={id}", id == asked) for id, t in titles),
        classes=() if isinstance(source, SurveyProgress) else classes(source, at),
        side=where.receptive_field,
        whole=where.receptive_field >= model.outline.input_size,
        progress=source if isinstance(source, SurveyProgress) else None,
        again=f"{again}&of={asked}" if waiting else again,
        refused=found.refused,
        command="" if found.atlases else command(model),
        png=table_url(model.id, asked, *at, "png"),
        csv=table_url(model.id, asked, *at, "csv"),
    )
