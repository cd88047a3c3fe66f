"""API routes of sheets: the feature maps of a step as one picture, and its layout."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from app.pictures.palettes import PaletteName, legend_png
from app.services.runs.sheets import DRAWING, LARGEST_TILE, DrawnSheet, Scale, SheetQuery
from app.web.api.images import ImageId
from app.web.api.models import ModelId, StepName
from app.web.api.schemas import ERRORS, ChannelFigures, SheetInfo
from app.web.core.file_responses import Download, Png, Version, file_response, png_response
from app.web.core.state import ServicesDep

router = APIRouter(tags=["sheets"], responses=ERRORS)


def sheet_query(
    scale: Annotated[
        Scale,
        Query(description="Colours end at the largest magnitude of the map, step or network."),
    ] = "unit",
    channels: Annotated[
        str, Query(description="All; or `3,17`; or `top12`, highest peak first.")
    ] = "",
    size: Annotated[
        int | None,
        Query(ge=1, le=LARGEST_TILE, description="Average larger maps down to this size."),
    ] = None,
    enlarge: Annotated[int, Query(ge=1, le=32, description="Pixels a side of a cell.")] = 1,
) -> SheetQuery:
    """The drawing that a request names."""
    return SheetQuery(scale, channels, size, enlarge)


SheetQueryDep = Annotated[SheetQuery, Depends(sheet_query)]


@router.get(
    "/runs/{model}/{image}/steps/{step}.png",
    response_class=Png,
    summary="The maps of a step as one picture",
)
async def sheet_png(
    model: ModelId,
    image: ImageId,
    step: StepName,
    query: SheetQueryDep,
    services: ServicesDep,
    v: Version = "",
    download: Download = "",
) -> Response:
    """An 8-bit palette PNG, a tile for each channel; the headers give its layout."""
    async with services.runs.listen(model, image) as run:
        drawn = await services.sheets.draw(run, step, query)
        answer = png_response(drawn.png, run.model.row, v, download)
    layout = drawn.layout
    answer.headers["X-Tile"] = f"{layout.tile_width}x{layout.tile_height}"
    answer.headers["X-Columns"] = str(layout.columns)
    if len(drawn.order) <= 512:
        answer.headers["X-Order"] = ",".join(map(str, drawn.order))
    return answer


@router.get("/runs/{model}/{image}/steps/{step}.json", summary="Layout and scale of a sheet")
async def sheet_json(
    model: ModelId, image: ImageId, step: StepName, query: SheetQueryDep, services: ServicesDep
) -> SheetInfo:
    """Layout, order and scale of the sheet with the same parameters."""
    async with services.runs.listen(model, image) as run:
        drawn = await services.sheets.draw(run, step, query)
        figures = (await run.record(step)).statistics
    lows, peaks = figures.lows.tolist(), figures.peaks.tolist()
    channels = [ChannelFigures(channel=c, min=lows[c], max=peaks[c]) for c in drawn.order]
    return _info(drawn, query.scale, (figures.min, figures.max), channels)


@router.get("/palettes/{name}.png", response_class=Png, summary="The colours of a legend")
async def palette(
    name: Annotated[PaletteName, Path(description="Name of a palette.")], v: Version = ""
) -> Response:
    """A strip one pixel high, lowest value at the left; zero is in the middle if signed."""
    return file_response(legend_png(name), "image/png", v == str(DRAWING))


def _info(
    drawn: DrawnSheet, scale: Scale, span: tuple[float, float], channels: list[ChannelFigures]
) -> SheetInfo:
    layout = drawn.layout
    return SheetInfo(
        tile=[layout.tile_width, layout.tile_height],
        columns=layout.columns,
        rows=layout.rows,
        size=[layout.width, layout.height],
        order=list(drawn.order),
        limits=list(drawn.limits),
        lowest=span[0],
        highest=span[1],
        palette=drawn.palette,
        scale=scale,
        reduced=drawn.reduced,
        channels=channels,
    )
