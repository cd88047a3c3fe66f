"""Files of a comparison: sheets of maps, the pair with captions, all pairs as a table."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.errors import BadRequest
from app.pictures.figures import CaptionedFigure, coloured, figures_png
from app.services.runs.comparison import PARTS, ChannelPair, MapComparison, Part
from app.web.compare.page import ComparedPair, paired
from app.web.compare.ranking import NAMES, SHOWN, apart_words, channel_name
from app.web.compare.sheets import digest, drawn
from app.web.compare.view import CompareDep
from app.web.compare.words import lacking
from app.web.core.file_responses import csv_response, file_response
from app.web.core.state import ServicesDep
from app.web.core.templating import number
from app.web.core.work import WorkDep

router = APIRouter()


@router.get("/compare/{which}-{part}.png")
async def maps_png(
    which: Literal["pair", "ranking"],
    side: WorkDep,
    part: Part,
    view: CompareDep,
    services: ServicesDep,
    v: Annotated[str, Query()] = "",
) -> Response:
    """The maps of one part: of the selected pair, or of the ranking."""
    async with paired(view, services) as pair:
        made, row = _there(pair)
        if part == "difference" and not made.same_size:
            raise BadRequest("Maps of two sizes have no difference.")

        def draw() -> bytes:
            rows = [row] if which == "pair" else [made.row(i) for i in made.order(view.by, SHOWN)]
            return drawn(made, rows, part)

        return file_response(await side(draw), "image/png", v == digest(made))


@router.get("/compare.png")
async def compare_png(view: CompareDep, side: WorkDep, services: ServicesDep) -> Response:
    """Both maps and their difference with captions, for download."""
    async with paired(view, services) as pair:
        made, row = _there(pair)
        png = await side(_figures, pair, made, row)
    return file_response(
        png, "image/png", False, f"layerscope-compare-{pair.steps[0]}-{row.here}.png"
    )


@router.get("/compare.csv")
async def compare_csv(view: CompareDep, side: WorkDep, services: ServicesDep) -> Response:
    """Every pair with its figures; a field is empty if maps of two sizes have no such figure."""
    head = (
        "channel_here", "channel_there", "peak_here", "peak_there", "peak_difference",
        "l2_here", "l2_there", "relative_distance", "largest_difference",
    )  # fmt: skip
    async with paired(view, services) as pair:
        made, _ = _there(pair)

        def rows() -> list[tuple[object, ...]]:
            return [_line(made.row(place)) for place in made.order(view.by)]

        body = await side(rows)
    return csv_response(head, body, f"layerscope-compare-{pair.steps[0]}.csv")


def _there(pair: ComparedPair) -> tuple[MapComparison, ChannelPair]:
    """The comparison. Raises `BadRequest` if the other side has no such step."""
    if pair.made is None or pair.row is None:
        raise BadRequest(lacking(pair.runs, pair.steps[0]))
    return pair.made, pair.row


def _line(row: ChannelPair) -> tuple[object, ...]:
    figures = (row.peak_here, row.peak_there, row.peak, row.norm_here, row.norm_there)
    return row.here, row.there, *figures, row.relative, row.largest


def _figures(pair: ComparedPair, comparison: MapComparison, row: ChannelPair) -> bytes:
    limit = comparison.limit(row)
    parts = [part for part in PARTS if part != "difference" or comparison.same_size]
    sides = zip(
        ("Here", "There"), (comparison.here, comparison.there), (row.here, row.there), strict=True
    )
    lines = [
        f"{name}: {half.run.model.row.title}, {half.record.step.name}, "
        f"{channel_name(half, channel)}, picture {half.run.image[:12]}."
        for name, half, channel in sides
    ]
    return figures_png(
        "Two maps compared",
        [
            CaptionedFigure(coloured(comparison.drawn([row], part)[0], limit), NAMES[part])
            for part in parts
        ],
        [*lines, f"Colours end at ±{number(limit)} in all. {apart_words(comparison, row)}"],
    )
