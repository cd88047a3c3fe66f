"""Covering and cutting for programs: a mask over the picture, a sliding patch, channels off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import torch
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from app.errors import UnknownStep
from app.pictures.preprocess import input_png
from app.pictures.sheets import sheet
from app.services.interventions.ablation import ChannelSwitch, ablate, checked_step, parse_switch
from app.services.interventions.brush import BrushResult, BrushStroke, brush, covered
from app.services.pictures.mask import SIDE, Mask
from app.services.runs.run import Run
from app.vision.cover import How, StepChange, limits, moved
from app.vision.predict import top
from app.web.api.images import ImageId
from app.web.api.intervention_schemas import (
    AblationInfo,
    BothAnswers,
    ClassChange,
    CoverInfo,
    RankedChannel,
    RankingInfo,
)
from app.web.api.models import ModelId, StepName
from app.web.api.schemas import ERRORS, Prediction, problem
from app.web.core.file_responses import (
    Csv,
    Npy,
    Png,
    Version,
    csv_response,
    npy_response,
    png_response,
)
from app.web.core.links import View
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.parts.ablation_ranking import finished_ranking
from app.web.parts.class_changes import ClassRow, classes
from app.web.parts.unit_query import ClassName, UnitQuery, open_unit_query

NO_CLASS: dict[int | str, dict[str, Any]] = {409: problem("A partial network has no classes.")}
router = APIRouter(
    prefix="/runs/{model}/{image}", tags=["cover and cut"], responses={**ERRORS, **NO_CLASS}
)

EXAMPLE = "ff00" * 8 + "0000" * 8

MaskText = Annotated[
    str,
    Query(
        description=f"{SIDE} rows of {SIDE} cells over the input, four hexadecimal digits a row, "
        "the leftmost cell the highest bit.",
        max_length=100,
        examples=[EXAMPLE],
    ),
]


async def asked_step(
    model: ModelId,
    image: ImageId,
    step: StepName,
    services: ServicesDep,
    channel: Annotated[int | None, Query(ge=0, description="By default the strongest.")] = None,
    y: Annotated[int | None, Query(ge=0, description="Row; none: the mean of the map.")] = None,
    x: Annotated[int | None, Query(ge=0, description="Column.")] = None,
    name: ClassName = "",
) -> AsyncIterator[UnitQuery]:
    """The unit that a request names."""
    async with open_unit_query(services, View(model, image, step, channel, y, x), name) as found:
        yield found


AskedStep = Annotated[UnitQuery, Depends(asked_step)]


def stroke(
    mask: MaskText = "",
    how: Annotated[How, Query(description="What covered cells show.")] = "grey",
) -> BrushStroke:
    """What is covered. Raises `BadRequest`."""
    return BrushStroke(Mask.read(mask), how)


StrokeDep = Annotated[BrushStroke, Depends(stroke)]


@router.get("/cover", summary="What a covered picture is taken for")
async def cover(
    model: ModelId,
    image: ImageId,
    services: ServicesDep,
    stroke: StrokeDep,
    name: ClassName = "",
    count: Annotated[int, Query(alias="top", ge=1, le=1000, description="How many classes.")] = 5,
) -> CoverInfo:
    """The likeliest classes before and after, and what became of one of them."""
    last = services.catalogue.model(model).outline.steps[-1].name
    async with open_unit_query(services, View(model, image, last), name) as asked:
        found = await _brushed(services, asked, stroke)
        share = stroke.mask.count / SIDE**2
        told = _answers(asked, found.logits, count)
        mask = str(stroke.mask) or "0" * SIDE * 4
        return CoverInfo(**told.model_dump(), mask=mask, how=stroke.how, share=share)


@router.get("/cover.png", response_class=Png, summary="The covered picture")
async def cover_png(
    model: ModelId, image: ImageId, services: ServicesDep, stroke: StrokeDep, v: Version = ""
) -> Response:
    """The network's input with the mask over it, pixel for pixel: uploaded, it goes in as it is."""
    async with services.runs.listen(model, image) as run:
        pixels = await asyncio.to_thread(covered, run, stroke)
        return png_response(input_png(pixels), run.model.row, v)


@router.get("/steps/{step}/cover.png", response_class=Png, summary="A map before and after")
async def cover_map_png(
    asked: AskedStep, services: ServicesDep, stroke: StrokeDep, v: Version = ""
) -> Response:
    """Three tiles: before and after on one scale, and after less before on its own."""
    found = await _brushed(services, asked, stroke)
    maps = _maps(asked, found)
    both, apart = limits(found.map)
    peaks = torch.tensor([both, both, apart])
    return png_response(sheet(maps, peaks, "signed", columns=3).png, asked.run.model.row, v)


@router.get("/steps/{step}/cover.npy", response_class=Npy, summary="A map before and after, raw")
async def cover_map_npy(
    asked: AskedStep, services: ServicesDep, stroke: StrokeDep, v: Version = ""
) -> Response:
    """[3,H,W]: before, after, after less before."""
    found = await _brushed(services, asked, stroke)
    return npy_response(_maps(asked, found), asked.run.model.row, v)


Off = Annotated[
    str,
    Query(max_length=4000, description="Channels that are zero, or `all`.", examples=["3,17,58"]),
]
Only = Annotated[
    str, Query(max_length=4000, description="Or: the channels that alone are not zero.")
]


def switch(asked: AskedStep, off: Off = "", only: Only = "") -> ChannelSwitch:
    """Which channels are off. Raises `BadRequest`, `UnknownStep`."""
    return parse_switch(checked_step(asked.run, asked.record), off, only)


@router.get("/steps/{step}/ablation", summary="What the network answers with channels off")
async def ablation(
    asked: AskedStep,
    switch: Annotated[ChannelSwitch, Depends(switch)],
    services: ServicesDep,
    owner: OwnerDep,
    count: Annotated[int, Query(alias="top", ge=1, le=1000, description="How many classes.")] = 5,
) -> AblationInfo:
    """A channel that is off is zero when the next step reads it."""
    run, record = asked.run, asked.record
    (change,) = await ablate(services.engine, owner, run, record, [switch])
    told = _answers(asked, change if run.model.labels else None, count)
    return AblationInfo(
        **told.model_dump(),
        step=record.step.name,
        off=list(switch.off(len(record.statistics.peaks))),
        compared=change.step,
        moved=moved(change),
    )


@router.get("/steps/{step}/ablation/ranking", summary="Which channels a class misses most")
async def ranking(asked: AskedStep, services: ServicesDep, owner: OwnerDep) -> RankingInfo:
    """Each switched off alone; a long job on a large network, kept for a while."""
    found = await finished_ranking(asked, services, owner)
    logits, shares = found.logits.tolist(), found.probabilities.tolist()
    index = asked.index or 0
    return RankingInfo(
        step=asked.record.step.name,
        index=index,
        label=asked.run.model.labels[index].label,
        channels=[
            RankedChannel(channel=c, logit=logits[c], probability=shares[c])
            for c in found.order("logits")
        ],
    )


@router.get(
    "/steps/{step}/ablation/ranking.csv", response_class=Csv, summary="The ranking as a table"
)
async def ranking_csv(
    asked: AskedStep, services: ServicesDep, owner: OwnerDep, v: Version = ""
) -> Response:
    """The channel that is missed most first."""
    found = await finished_ranking(asked, services, owner)
    order = found.order("logits")
    rows = [(c, found.logits[c].item(), found.probabilities[c].item()) for c in order]
    name = f"{asked.view.model}-{asked.view.image[:12]}-{asked.record.step.name}-ranking.csv"
    return csv_response(("channel", "drop of the logit", "drop of the probability"), rows, name)


def _maps(asked: UnitQuery, found: BrushResult) -> torch.Tensor:
    change = found.map
    if change.before.ndim != 2:
        raise UnknownStep(f"{asked.record.step.name} has no maps: it is a row of numbers.")
    return torch.stack([change.before, change.after, change.difference])


async def _brushed(services: Services, asked: UnitQuery, stroke: BrushStroke) -> BrushResult:
    return await brush(
        services.engine, services.cuts, asked.run, asked.record, asked.channel, stroke
    )


def _answers(asked: UnitQuery, change: StepChange | None, count: int) -> BothAnswers:
    if change is None or asked.index is None:
        return BothAnswers(before=[], after=[], asked=None, flipped=False)
    made = classes(asked.run, change, asked.index)
    return BothAnswers(
        before=_predictions(asked.run, change.before, count),
        after=_predictions(asked.run, change.after, count),
        asked=_class(made.asked),
        flipped=made.flipped,
    )


def _predictions(run: Run, logits: torch.Tensor, count: int) -> list[Prediction]:
    labels = run.model.labels
    return [
        Prediction(
            index=one.index,
            label=labels[one.index].label,
            logit=one.logit,
            probability=one.probability,
        )
        for one in top(logits, count)
    ]


def _class(row: ClassRow) -> ClassChange:
    return ClassChange(
        index=row.index,
        label=row.label,
        logit_before=row.logit_before,
        logit_after=row.logit_after,
        probability_before=row.before,
        probability_after=row.after,
    )
