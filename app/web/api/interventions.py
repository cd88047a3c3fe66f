"""API routes of interventions: a mask over the picture, channels switched off (ablation)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import torch
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from app.errors import UnknownStep
from app.pictures.preprocess import input_png
from app.pictures.sheets import sheet
from app.services.interventions.ablation import ChannelSwitch, ablate, checked_step, parse_switch
from app.services.interventions.brush import BrushStroke, brush, covered
from app.services.interventions.results import BrushResult
from app.services.pictures.mask import SIDE, Mask
from app.services.runs.run import Run
from app.vision.cover import How, StepChange, limits
from app.vision.predict import top
from app.vision.shift import relative_change
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
from app.web.core.work import WorkDep
from app.web.parts.ablation_ranking import finished_ranking
from app.web.parts.class_changes import ClassRow, class_changes
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


async def step_unit_query(
    model: ModelId,
    image: ImageId,
    step: StepName,
    services: ServicesDep,
    channel: Annotated[int | None, Query(ge=0, description="By default the strongest.")] = None,
    y: Annotated[
        int | None, Query(ge=0, description="Row; without it, the mean of the map.")
    ] = None,
    x: Annotated[int | None, Query(ge=0, description="Column.")] = None,
    name: ClassName = "",
) -> AsyncIterator[UnitQuery]:
    """The unit that a request names."""
    async with open_unit_query(
        services, View(model=model, image=image, step=step, channel=channel, y=y, x=x), name
    ) as found:
        yield found


StepUnitDep = Annotated[UnitQuery, Depends(step_unit_query)]


def stroke(
    mask: MaskText = "",
    how: Annotated[How, Query(description="Fill of covered cells.")] = "grey",
) -> BrushStroke:
    """The mask and its fill. Raises `BadRequest`."""
    return BrushStroke(Mask.read(mask), how)


StrokeDep = Annotated[BrushStroke, Depends(stroke)]


@router.get("/cover", summary="Predictions for a covered picture")
async def cover(
    model: ModelId,
    image: ImageId,
    services: ServicesDep,
    stroke: StrokeDep,
    name: ClassName = "",
    count: Annotated[int, Query(alias="top", ge=1, le=1000, description="How many classes.")] = 5,
) -> CoverInfo:
    """The likeliest classes before and after, and how the queried class changed."""
    last = services.catalogue.model(model).outline.steps[-1].name
    async with open_unit_query(services, View(model=model, image=image, step=last), name) as unit:
        found = await _brushed(services, unit, stroke)
        share = stroke.mask.count / SIDE**2
        predictions = _answers(unit, found.logits, count)
        mask = str(stroke.mask) or "0" * SIDE * 4
        return CoverInfo(**predictions.model_dump(), mask=mask, how=stroke.how, share=share)


@router.get("/cover.png", response_class=Png, summary="The covered picture")
async def cover_png(
    model: ModelId,
    side: WorkDep,
    image: ImageId,
    services: ServicesDep,
    stroke: StrokeDep,
    v: Version = "",
) -> Response:
    """The network's input with the mask on it, pixel for pixel: uploaded, it is used unchanged."""
    async with services.runs.listen(model, image) as run:
        pixels = await side(covered, run, stroke)
        return png_response(input_png(pixels), run.model.row, v)


@router.get("/steps/{step}/cover.png", response_class=Png, summary="A map before and after")
async def cover_map_png(
    unit: StepUnitDep, services: ServicesDep, stroke: StrokeDep, v: Version = ""
) -> Response:
    """Three tiles: before and after on one scale, after minus before on its own."""
    found = await _brushed(services, unit, stroke)
    maps = _maps(unit, found)
    both, apart = limits(found.map)
    peaks = torch.tensor([both, both, apart])
    return png_response(sheet(maps, peaks, "signed", columns=3).png, unit.run.model.row, v)


@router.get("/steps/{step}/cover.npy", response_class=Npy, summary="A map before and after, raw")
async def cover_map_npy(
    unit: StepUnitDep, services: ServicesDep, stroke: StrokeDep, v: Version = ""
) -> Response:
    """[3,H,W]: before, after, after minus before."""
    found = await _brushed(services, unit, stroke)
    return await npy_response(_maps(unit, found), unit.run.model.row, v)


Off = Annotated[
    str,
    Query(max_length=4000, description="Channels to set to zero, or `all`.", examples=["3,17,58"]),
]
Only = Annotated[
    str, Query(max_length=4000, description="Or: the only channels that are not set to zero.")
]


def switch(unit: StepUnitDep, off: Off = "", only: Only = "") -> ChannelSwitch:
    """The channels to switch off. Raises `BadRequest`, `UnknownStep`."""
    return parse_switch(checked_step(unit.run, unit.record), off, only)


@router.get("/steps/{step}/ablation", summary="Predictions with channels switched off")
async def ablation(
    unit: StepUnitDep,
    switch: Annotated[ChannelSwitch, Depends(switch)],
    services: ServicesDep,
    owner: OwnerDep,
    count: Annotated[int, Query(alias="top", ge=1, le=1000, description="How many classes.")] = 5,
) -> AblationInfo:
    """A channel that is off is zero when the next step reads it."""
    run, record = unit.run, unit.record
    (change,) = await ablate(services.engine, owner, run, record, [switch])
    predictions = _answers(unit, change if run.model.labels else None, count)
    return AblationInfo(
        **predictions.model_dump(),
        step=record.step.name,
        off=list(switch.off(len(record.statistics.peaks))),
        compared=change.step,
        moved=relative_change(change.before, change.after),
    )


@router.get("/steps/{step}/ablation/ranking", summary="Channels ranked by the drop of a class")
async def ranking(unit: StepUnitDep, services: ServicesDep, owner: OwnerDep) -> RankingInfo:
    """Each channel switched off alone; a long job on a large network, cached for a while."""
    found = await finished_ranking(unit, services, owner)
    logits, shares = found.logits.tolist(), found.probabilities.tolist()
    index = unit.index or 0
    return RankingInfo(
        step=unit.record.step.name,
        index=index,
        label=unit.run.model.labels[index].label,
        channels=[
            RankedChannel(channel=c, logit=logits[c], probability=shares[c])
            for c in found.order("logits")
        ],
    )


@router.get(
    "/steps/{step}/ablation/ranking.csv", response_class=Csv, summary="The ranking as a table"
)
async def ranking_csv(
    unit: StepUnitDep, services: ServicesDep, owner: OwnerDep, v: Version = ""
) -> Response:
    """The channel with the largest drop first."""
    found = await finished_ranking(unit, services, owner)
    order = found.order("logits")
    rows = [(c, found.logits[c].item(), found.probabilities[c].item()) for c in order]
    name = f"{unit.view.model}-{unit.view.image[:12]}-{unit.record.step.name}-ranking.csv"
    return csv_response(("channel", "drop of the logit", "drop of the probability"), rows, name)


def _maps(unit: UnitQuery, result: BrushResult) -> torch.Tensor:
    change = result.map
    if change.before.ndim != 2:
        raise UnknownStep(f"{unit.record.step.name} has no maps: it is a row of numbers.")
    return torch.stack([change.before, change.after, change.difference])


async def _brushed(services: Services, unit: UnitQuery, stroke: BrushStroke) -> BrushResult:
    return await brush(services.engine, services.cuts, unit.run, unit.record, unit.channel, stroke)


def _answers(unit: UnitQuery, change: StepChange | None, count: int) -> BothAnswers:
    if change is None or unit.index is None:
        return BothAnswers(before=[], after=[], asked=None, flipped=False)
    made = class_changes(unit.run, change, unit.index)
    return BothAnswers(
        before=_predictions(unit.run, change.before, count),
        after=_predictions(unit.run, change.after, count),
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
