"""API routes of maps derived from a run: ReLU's cut, class activation maps, projections."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from torch import Tensor

from app.errors import BadRequest, UnknownStep
from app.pictures.filters import colour_filters
from app.pictures.palettes import PaletteName
from app.pictures.sheets import sheet
from app.services.runs.arithmetic import checked_cell, checked_channel, contributions_to_class
from app.services.runs.projections import Method, project
from app.web.api.explain import Column, Row, Unit
from app.web.api.images import ImageId
from app.web.api.models import ModelId, StepName
from app.web.api.schemas import ERRORS
from app.web.core.file_responses import Png, Version, png_response
from app.web.core.state import ServicesDep
from app.web.core.work import WorkDep

router = APIRouter(prefix="/runs/{model}/{image}", tags=["sheets"], responses=ERRORS)


@router.get("/steps/{step}/cut.png", response_class=Png, summary="What a ReLU set to zero")
async def cut(
    model: ModelId,
    image: ImageId,
    step: StepName,
    services: ServicesDep,
    channel: Annotated[int, Query(ge=0, description="Index of the map.")],
    v: Version = "",
) -> Response:
    """min(0, x) of the input map, with the colours and the scale of that map."""
    async with services.runs.listen(model, image) as run:
        record = await run.record(step)
        if record.step.kind != "relu" or not run.spatial(step):
            raise UnknownStep(f"{step} is not a ReLU over maps: it cuts nothing away.")
        before = run.output(record.step.inputs[0])[checked_channel(record, channel)]
        return png_response(
            _drawn(before.clamp_max(0), float(before.abs().max())), run.model.row, v
        )


@router.get(
    "/paid.png", response_class=Png, summary="Contribution of each place to a class's logit"
)
async def paid_png(
    model: ModelId,
    side: WorkDep,
    image: ImageId,
    services: ServicesDep,
    channel: Annotated[int, Query(ge=0, description="Index of the class.")],
    v: Version = "",
) -> Response:
    """Cells of the last maps times their weights for the class, summed over channels."""
    async with services.runs.listen(model, image) as run:
        await run.finish()
        if run.model.outline.partial:
            raise BadRequest("A network without a classifier has no scores.")
        record = await run.record(run.model.outline.logits)
        made = await side(contributions_to_class, run, checked_channel(record, channel))
        grid = made.map.float()
        return png_response(_drawn(grid, float(grid.abs().max())), run.model.row, v)


@router.get(
    "/steps/{step}/projection.png",
    response_class=Png,
    summary="What drives a unit, projected to the picture",
)
async def projection(
    model: ModelId,
    side: WorkDep,
    image: ImageId,
    step: StepName,
    services: ServicesDep,
    method: Annotated[Method, Query(description="Projection method.")],
    channel: Unit,
    y: Row = None,
    x: Column = None,
    v: Version = "",
) -> Response:
    """[3,S,S] as colours, grey where zero; Grad-CAM as a map in the palette of signed values.

    Without a cell, the mean of the whole map is projected.
    """
    async with services.runs.listen(model, image) as run:
        record = await run.record(step)
        found = checked_cell(run, record, checked_channel(record, channel), y, x)
        cell = None if y is None or x is None else found
        made = await side(project, run, record, channel, cell, method)
        if made.ndim == 3:
            return png_response(colour_filters(made[None]).png, run.model.row, v)
        return png_response(_drawn(made, float(made.abs().max())), run.model.row, v)


def _drawn(grid: Tensor, limit: float, palette: PaletteName = "signed") -> bytes:
    return sheet(grid[None], limit, palette).png
