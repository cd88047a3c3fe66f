"""Routes of the walk through the five layers: `/layers/1` to `/layers/5`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.errors import NotFound
from app.pictures.samples import all_samples, sample
from app.pictures.tables import Block, tables_png
from app.services.atlas.crop_sources import AtlasCropSource, CropSource, SampleCropSource
from app.services.atlas.library import AtlasFile
from app.services.atlas.shares import (
    THRESHOLDS,
    ClassMeans,
    PreferenceShare,
    class_means,
    of_layer,
    shares,
)
from app.services.networks.catalogue import Model
from app.services.runs.run import Run, StepRecord
from app.services.surveys.survey import Survey, SurveyProgress
from app.vision.stages import stage_ends
from app.web.core import htmx
from app.web.core.base_path import base
from app.web.core.file_responses import csv_response, file_response
from app.web.core.links import View
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.templating import percent, render
from app.web.core.work import WorkDep
from app.web.layers import evidence
from app.web.layers.contexts import QuestionTrial, ShareBar, Walk, WalkChoice, WalkDot
from app.web.layers.trap_trials import TrialInput, trial
from app.web.layers.words import FINDINGS, QUESTIONS
from app.web.parts.crop_query import atlases, out_of
from app.web.parts.photo import link_expires, photo
from app.web.parts.step_words import STAGES

router = APIRouter(prefix="/layers", include_in_schema=False)

PATIENCE = 0.4
"""Seconds that a page waits for the survey before it shows its progress."""
LAST = 5


@router.get("")
async def first(model: str = "", image: str = "") -> RedirectResponse:
    """Redirect to layer 1."""
    return RedirectResponse(url(1, model, image), 303)


@router.get("/measured.csv")
async def csv(services: ServicesDep, model: str) -> Response:
    """Every share of every layer, with its threshold."""
    rows = [
        (one.layer, one.step, one.kind, "" if one.count is None else one.count, one.total,
         "" if one.share is None else f"{one.share:.4f}", THRESHOLDS[one.kind],
         "" if one.count is None else f"{one.median:.4f}")
        for layer in (await _measured(services, model)).values()
        for one in layer
    ]  # fmt: skip
    head = ("layer", "step", "preference", "maps", "of", "share", "threshold", "median_index")
    return csv_response(head, rows, f"{model}-layers.csv")


@router.get("/measured.png")
async def png(services: ServicesDep, side: WorkDep, model: str) -> Response:
    """The shares as a picture."""
    found = await _measured(services, model)
    block = Block(
        "Colour, direction, class: per cent of the maps of layers "
        f"{min(found)} to {max(found)}, from above",
        [[None if s.share is None else 100 * s.share for s in row] for row in found.values()],
        limit=100,
        text=lambda value: percent(value / 100),
    )
    title = f"What the maps of {services.catalogue.model(model).row.title} prefer"
    said = ", ".join(f"{kind} {value}" for kind, value in THRESHOLDS.items())
    data = await side(tables_png, title, [block], f"Thresholds: {said}.")
    return file_response(data, "image/png", False, f"{model}-layers.png")


@router.get("/{number}")
async def walk(
    request: Request,
    side: WorkDep,
    services: ServicesDep,
    owner: OwnerDep,
    number: Annotated[str, Path(max_length=20)],
    model: Annotated[str, Query(max_length=200)] = "",
    image: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """One layer of a network on one picture; for htmx the part that is still being measured."""
    known = services.catalogue.model(model or services.settings.model)
    view = View(model=known.id, image=image or all_samples()[0].id)
    layer, step = layer_of(known, number)
    async with services.runs.listen(view.model, view.image) as run:
        record = await run.record(step)
        measured = await _gathered(services, known, layer, step)
        made = await side(_walk, services, view, run, record, layer, measured, owner)
    inside = htmx.target(request) == "main#walk"
    template = "layers/_layer.html" if inside else "layers/layer.html"
    return render(request, template, {"walk": made})


@dataclass(frozen=True, slots=True)
class LayerMeasurements:
    """What has been measured of a network when its page is rendered."""

    survey: Survey | None
    progress: SurveyProgress | None
    crops: Survey | None
    atlases: tuple[AtlasFile, ...]
    means: ClassMeans | None


def url(number: int, model: str, image: str) -> str:
    """The URL of a screen of the walk."""
    query = View(model=model, image=image).query() if model or image else ""
    return f"{base()}/layers/{number}?{query}" if query else f"{base()}/layers/{number}"


async def _gathered(services: Services, model: Model, number: int, step: str) -> LayerMeasurements:
    asked = await services.surveys.get(model.id, PATIENCE)
    done = asked if isinstance(asked, Survey) else None
    found = (await asyncio.to_thread(atlases, services, model)).atlases
    means = await asyncio.to_thread(class_means, model, step, found)
    progress = asked if isinstance(asked, SurveyProgress) else None
    crops = progress.survey if progress else done
    return LayerMeasurements(done, progress, crops, found, means)


async def _measured(services: Services, id: str) -> dict[int, tuple[PreferenceShare, ...]]:
    """Wait for the shares of all layers."""
    model = services.catalogue.model(id)
    made = await services.surveys.get(id, 600)
    if isinstance(made, SurveyProgress):
        raise NotFound("The measuring of this network is not finished yet. Please try again.")
    found = await asyncio.to_thread(atlases, services, model)
    return await asyncio.to_thread(shares, model, made, found.atlases)


def layer_of(model: Model, text: str) -> tuple[int, str]:
    """The index of a layer and its last step. Raises `NotFound`."""
    ends = stage_ends(model.outline.steps)
    if text not in map(str, range(1, LAST + 1)):
        raise NotFound(f"The walk has layers 1 to {LAST}: there is no layer “{text}”.")
    if int(text) not in ends:
        last = model.outline.steps[-1].name
        raise NotFound(f"{model.row.title} ends at {last}: it has no layer {text}.")
    return int(text), ends[int(text)]


def _walk(
    services: Services,
    view: View,
    run: Run,
    record: StepRecord,
    number: int,
    measured: LayerMeasurements,
    owner: str,
) -> Walk:
    model, step = run.model, record.step.name
    ends = stage_ends(model.outline.steps)
    source = _source(services, model, measured)
    recent = services.pictures.recent(owner)
    mine = frozenset(one.id for one in recent)
    columns = evidence.columns(view, run, record, source, mine)
    bars, how, tried = _shares(view, model, number, step, measured)
    fields = evidence.fields(run, record, ends)
    dreamt = all(one.synthesised for one in columns)
    return Walk(
        number=number,
        model=model,
        step=step,
        words=STAGES[number],
        finding=FINDINGS[number],
        question=QUESTIONS[number],
        trial=tried,
        dots=_dots(view, ends, number),
        previous=url(number - 1, view.model, view.image) if number - 1 in ends else "",
        next=url(number + 1, view.model, view.image) if number + 1 in ends else "",
        photo=photo(view, run),
        title=_title(services, view, owner),
        fields=fields,
        scene=evidence.scene(fields, model.outline.input_size),
        sees=evidence.sees(model, step),
        columns=columns,
        dreamt=_dreamt(dreamt, model),
        grow="" if dreamt else columns[0].url,
        crops_of=out_of(services, source) if source else "",
        bars=bars,
        how=how,
        progress=measured.progress,
        again=url(number, view.model, view.image),
        explore=View(model=view.model, image=view.image, step=step).url(),
        csv=f"{base()}/layers/measured.csv?model={view.model}",
        png=f"{base()}/layers/measured.png?model={view.model}",
        choices=_choices(services, view, number),
        samples=tuple((one, url(number, view.model, one.id)) for one in all_samples()),
        recent=tuple((one, url(number, view.model, one.id)) for one in recent),
        link_expires=link_expires(view, services),
    )


def _shares(
    view: View, model: Model, number: int, step: str, measured: LayerMeasurements
) -> tuple[tuple[ShareBar, ...], tuple[str, ...], QuestionTrial | None]:
    """Bars, how they were measured, and the tested question; empty before all is measured."""
    survey = measured.survey
    if survey is None:
        return (), (), None
    found = of_layer(number, step, survey.layers[number], measured.means)
    how = evidence.how(model, found, measured.means, len(survey.pictures))
    asked = TrialInput(view, model, number, step, survey, measured.means)
    return evidence.bars(found), tuple(how), trial(asked)


def _source(services: Services, model: Model, measured: LayerMeasurements) -> CropSource | None:
    """An operator's folder if there is an atlas of it, else the built-in pictures once measured."""
    if measured.atlases:
        return AtlasCropSource(model, measured.atlases[0])
    return SampleCropSource(model, measured.crops, services.pictures) if measured.crops else None


def _dots(view: View, ends: dict[int, str], number: int) -> tuple[WalkDot, ...]:
    return tuple(
        WalkDot(
            n, STAGES[n].title, url(n, view.model, view.image) if n in ends else "", n == number
        )
        for n in range(1, LAST + 1)
    )


def _dreamt(all_there: bool, model: Model) -> str:
    if all_there:
        return "Grown from noise until the map responded most: what it would like to see most."
    return f"{model.row.title} comes without pictures for these maps."


def _choices(services: Services, view: View, number: int) -> tuple[WalkChoice, ...]:
    here = [one for one in services.catalogue.models() if one.entry.path is not None]
    return tuple(
        WalkChoice(one.row.title, url(number, one.id, view.image), one.id == view.model)
        for one in here
        if number in stage_ends(one.outline.steps)
    )


def _title(services: Services, view: View, owner: str) -> str:
    if built_in := sample(view.image):
        return built_in.title
    return services.pictures.find(view.image, owner).name or "A picture"
