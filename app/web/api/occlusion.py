"""API routes of the occlusion map: numbers, a table, pictures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from app.errors import NotFound
from app.pictures.sheets import sheet
from app.services.interventions.occlusion import Fill, cached_map, checked_patch
from app.web.api.intervention_schemas import OcclusionInfo
from app.web.api.interventions import NO_CLASS, StepUnitDep
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
from app.web.core.work import WorkDep
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


def occlusion_query(
    unit: StepUnitDep,
    patch: Annotated[
        int | None,
        Query(description="Side of the patch, input pixels; by default 3/16 of the input."),
    ] = None,
    stride: Annotated[int | None, Query(description="Pixels from one place to the next.")] = None,
    fill: Annotated[
        Fill, Query(description="Fill of the patch: mid grey, or the mean of training pictures.")
    ] = "grey",
    of: Annotated[
        Of,
        Query(
            description="The value that drops: the unit's activation, or the class's probability."
        ),
    ] = "unit",
) -> OcclusionQuery:
    """The occlusion map that a request names. Raises `BadRequest`, `NoClassifier`."""
    chosen = checked_patch(unit.run.model, patch, stride)
    return OcclusionQuery(unit, occlusion_of(unit, chosen, fill, of), of)


OcclusionQueryDep = Annotated[OcclusionQuery, Depends(occlusion_query)]


@router.get("/occlusion", summary="Drop of a unit or a class at each place of the patch")
async def occlusion(
    query: OcclusionQueryDep, services: ServicesDep, owner: OwnerDep
) -> OcclusionInfo:
    """A long job, cached for a while; the value is the unit's cell, or the mean of its map."""
    finished = await finished_map(query, services, owner)
    requested = query.occlusion
    unit, patch = requested.unit, requested.patch
    places = [list(one) for one in patch.places(query.unit.run.model.outline.input_size)]
    return OcclusionInfo(
        step=unit.step,
        channel=unit.channel,
        cell=list(unit.cell) if unit.cell else None,
        patch=patch.side,
        stride=patch.stride,
        fill=requested.fill,
        of=query.of,
        whole=finished.whole,
        rows=places,
        columns=places,
        drops=finished.drops.tolist(),
    )


@router.get("/occlusion.npy", response_class=Npy, summary="The drops, raw")
async def occlusion_npy(
    query: OcclusionQueryDep, services: ServicesDep, owner: OwnerDep, v: Version = ""
) -> Response:
    """[rows, columns] of places."""
    finished = await finished_map(query, services, owner)
    return await npy_response(finished.drops, query.unit.run.model.row, v)


@router.get("/occlusion.csv", response_class=Csv, summary="The drops as a table")
async def occlusion_csv(
    query: OcclusionQueryDep, services: ServicesDep, owner: OwnerDep, v: Version = ""
) -> Response:
    """A line for each place: where the patch lies, and the value before and with it there."""
    finished = await finished_map(query, services, owner)
    unit = query.unit
    head = ("row", "column", "top", "bottom", "left", "right", "before", "covered", "drop")
    name = f"{unit.view.model}-{unit.view.image[:12]}-{unit.record.step.name}-occlusion.csv"
    return csv_response(head, table_rows(unit.run, query.occlusion, finished), name)


@router.get("/occlusion.png", response_class=Png, summary="The drops as a picture")
async def occlusion_png(
    query: OcclusionQueryDep,
    side: WorkDep,
    services: ServicesDep,
    owner: OwnerDep,
    over: Annotated[bool, Query(description="Over the picture, with captions and scale.")] = False,
    enlarge: Annotated[int, Query(ge=1, le=16, description="Pixels a side of a place.")] = 1,
    v: Version = "",
    download: Download = "",
) -> Response:
    """One pixel for each place: amber where the value drops, blue where it rises."""
    finished = await finished_map(query, services, owner)
    row = query.unit.run.model.row
    if over:
        args = (query.unit, query.occlusion, query.of, finished)
        return png_response(await side(occlusion_picture, *args), row, v, download)
    limit = float(finished.drops.abs().max())
    return png_response(
        sheet(finished.drops[None], limit, "signed", enlarge=enlarge).png, row, v, download
    )


@router.get("/occlusion/rows.png", response_class=Png, summary="The first rows, as far as computed")
async def occlusion_rows_png(
    query: OcclusionQueryDep,
    services: ServicesDep,
    rows: Annotated[int, Query(ge=1, description="How many rows.")],
    v: Version = "",
) -> Response:
    """Part of a map that is being computed, scaled to its largest drop; starts no computation."""
    progress = cached_map(services.cuts, query.unit.run, query.occlusion)
    if progress.done < rows:
        raise NotFound(f"Of this map {progress.done} rows are known, not {rows}.")
    part = progress.drops[:rows]
    png = sheet(part[None], float(part.abs().max()), "signed").png
    return png_response(png, query.unit.run.model.row, v)
