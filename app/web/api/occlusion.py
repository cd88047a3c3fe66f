"""The occlusion map for programs: numbers, a table, pictures."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from app.errors import NotFound
from app.pictures.sheets import sheet
from app.services.interventions.occlusion import Fill, cached_map, checked_patch
from app.web.api.intervention_schemas import OcclusionInfo
from app.web.api.interventions import NO_CLASS, AskedStep
from app.web.api.schemas import ERRORS
from app.web.core.file_responses import (
    Csv,
    Download,
    Npy,
    Png,
    Version,
    csv_response,
    npy_response,
    png_response,
)
from app.web.core.state import OwnerDep, ServicesDep
from app.web.parts.occlusion_map import (
    OcclusionQuery,
    Of,
    finished_map,
    occlusion_of,
    occlusion_picture,
    table_rows,
)

router = APIRouter(
    prefix="/runs/{model}/{image}/steps/{step}",
    tags=["cover and cut"],
    responses={**ERRORS, **NO_CLASS},
)


def question(
    asked: AskedStep,
    patch: Annotated[
        int | None, Query(description="Side, input pixels; by default 3/16 of the input.")
    ] = None,
    stride: Annotated[int | None, Query(description="Pixels from one place to the next.")] = None,
    fill: Annotated[
        Fill, Query(description="Mid grey, or the mean of training pictures.")
    ] = "grey",
    of: Annotated[
        Of, Query(description="Whose drop: the unit's, or that of the class's probability.")
    ] = "unit",
) -> OcclusionQuery:
    """What is asked. Raises `BadRequest`, `NoClassifier`."""
    chosen = checked_patch(asked.run.model, patch, stride)
    return OcclusionQuery(asked, occlusion_of(asked, chosen, fill, of), of)


QuestionDep = Annotated[OcclusionQuery, Depends(question)]


@router.get("/occlusion", summary="Where covering lowers a unit or a class")
async def occlusion(question: QuestionDep, services: ServicesDep, owner: OwnerDep) -> OcclusionInfo:
    """A long job, kept for a while; the value is the unit's cell, or the mean of its map."""
    laid = await finished_map(question, services, owner)
    wanted = question.wanted
    unit, patch = wanted.unit, wanted.patch
    places = [list(one) for one in patch.places(question.asked.run.model.outline.input_size)]
    return OcclusionInfo(
        step=unit.step,
        channel=unit.channel,
        cell=list(unit.cell) if unit.cell else None,
        patch=patch.side,
        stride=patch.stride,
        fill=wanted.fill,
        of=question.of,
        whole=laid.whole,
        rows=places,
        columns=places,
        drops=laid.drops.tolist(),
    )


@router.get("/occlusion.npy", response_class=Npy, summary="The drops, raw")
async def occlusion_npy(
    question: QuestionDep, services: ServicesDep, owner: OwnerDep, v: Version = ""
) -> Response:
    """[rows, columns] of places."""
    laid = await finished_map(question, services, owner)
    return npy_response(laid.drops, question.asked.run.model.row, v)


@router.get("/occlusion.csv", response_class=Csv, summary="The drops as a table")
async def occlusion_csv(
    question: QuestionDep, services: ServicesDep, owner: OwnerDep, v: Version = ""
) -> Response:
    """A line for each place: where the patch lies, and the value before and with it there."""
    laid = await finished_map(question, services, owner)
    asked = question.asked
    head = ("row", "column", "top", "bottom", "left", "right", "before", "covered", "drop")
    name = f"{asked.view.model}-{asked.view.image[:12]}-{asked.record.step.name}-occlusion.csv"
    return csv_response(head, table_rows(asked.run, question.wanted, laid), name)


@router.get("/occlusion.png", response_class=Png, summary="The drops as a picture")
async def occlusion_png(
    question: QuestionDep,
    services: ServicesDep,
    owner: OwnerDep,
    over: Annotated[bool, Query(description="Over the picture, with words and scale.")] = False,
    enlarge: Annotated[int, Query(ge=1, le=16, description="Pixels a side of a place.")] = 1,
    v: Version = "",
    download: Download = "",
) -> Response:
    """A place a pixel: amber where the value drops, blue where it rises, full at the largest."""
    laid = await finished_map(question, services, owner)
    row = question.asked.run.model.row
    if over:
        args = (question.asked, question.wanted, question.of, laid)
        return png_response(await asyncio.to_thread(occlusion_picture, *args), row, v, download)
    limit = float(laid.drops.abs().max())
    return png_response(
        sheet(laid.drops[None], limit, "signed", enlarge=enlarge).png, row, v, download
    )


@router.get("/occlusion/rows.png", response_class=Png, summary="The first rows, as far as known")
async def occlusion_rows_png(
    question: QuestionDep,
    services: ServicesDep,
    rows: Annotated[int, Query(ge=1, description="How many rows.")],
    v: Version = "",
) -> Response:
    """Part of a map that is being computed, on the scale of its own largest drop; computes none."""
    laid = cached_map(services.cuts, question.asked.run, question.wanted)
    if laid.done < rows:
        raise NotFound(f"Of this map {laid.done} rows are known, not {rows}.")
    part = laid.drops[:rows]
    png = sheet(part[None], float(part.abs().max()), "signed").png
    return png_response(png, question.asked.run.model.row, v)
