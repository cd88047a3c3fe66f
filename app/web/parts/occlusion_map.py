"""The occlusion map: a patch slides over the picture; where does covering lower a value most?"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import Depends, Query

from app.pictures.figures import CaptionedFigure, figures_png, heat_over, plain_picture
from app.services.interventions.occlusion import (
    Fill,
    OcclusionRequest,
    cached_map,
    checked_patch,
    probability_of,
    rows,
)
from app.services.interventions.results import OcclusionSoFar
from app.services.runs.run import Run
from app.services.runs.sheets import version
from app.vision.occlusion import OcclusionPatch
from app.vision.units import Unit
from app.web.core.state import Services
from app.web.core.templating import number, percent
from app.web.parts.photo import PhotoOverlay, photo
from app.web.parts.unit_names import label_of
from app.web.parts.unit_query import UnitQuery, UnitQueryDep, required

Of = Literal["unit", "class"]
FILL_WORDS = {"grey": "grey", "mean": "mean colour"}


@dataclass(frozen=True, slots=True)
class HeatMap:
    """An occlusion map as far as it is computed."""

    image: str  # URL of its picture; "" before the first row
    frame: tuple[float, float, float, float]  # where it lies on the input
    photo: PhotoOverlay
    rows: int  # of places
    columns: int  # of places
    done: int  # rows that are computed
    drops: str  # row by row, as JSON
    patch: tuple[int, int]  # side and stride, input pixels
    size: int  # side of the input, pixels
    limit: str  # the magnitude at which colours end
    whole: str  # the value with nothing covered
    percent: bool  # whether values are probabilities
    words: str  # how far it is, or its result
    worst: tuple[int, int]  # the place with the largest drop
    status: str  # for screen readers
    finished: bool


def occlusion_of(unit: UnitQuery, patch: OcclusionPatch, fill: Any, of: Of) -> OcclusionRequest:
    """The occlusion of the unit, or of the class. Raises `NoClassifier`."""
    if of == "class":
        target = probability_of(unit.run.model, required(unit.index, unit.run))
    else:
        target = Unit(unit.record.step.name, unit.channel, unit.cell)
    return OcclusionRequest(target, patch, fill)


def heat(unit: UnitQuery, occlusion: OcclusionRequest, of: Of, progress: OcclusionSoFar) -> HeatMap:
    """The map as far as it is computed."""
    run, done = unit.run, progress.drops[: progress.done]
    rows, columns = progress.drops.shape
    is_share = occlusion.unit.step == run.model.outline.steps[-1].name and bool(run.model.labels)
    text = percent if is_share else number
    image = f"{unit.view.run}/steps/{quote(unit.record.step.name)}/occlusion/rows.png"
    worst = divmod(int(done.argmax()), columns) if progress.done else (0, 0)
    words = _words(progress, text, worst)
    drawing = drawing_query(unit, occlusion, of)
    return HeatMap(
        image=f"{image}?{drawing}&rows={progress.done}" if progress.done else "",
        frame=frame(occlusion.patch, progress.done, columns),
        photo=photo(unit.view, run),
        rows=rows,
        columns=columns,
        done=progress.done,
        drops=json.dumps([[float(f"{v:.5g}") for v in row] for row in done.tolist()]),
        patch=(occlusion.patch.side, occlusion.patch.stride),
        size=run.model.outline.input_size,
        limit=text(float(done.abs().max())) if progress.done else "0",
        whole=text(progress.whole),
        percent=is_share,
        words=words,
        worst=worst,
        status=words if progress.finished else "",
        finished=progress.finished,
    )


def frame(patch: OcclusionPatch, rows: int, columns: int) -> tuple[float, float, float, float]:
    """Where a map of places lies on the input: a square of one stride centred in each patch."""
    first = (patch.side - patch.stride) / 2
    return first, first, columns * patch.stride, rows * patch.stride


def named(occlusion: OcclusionRequest, of: Of) -> dict[str, Any]:
    """The settings as query fields, without the unit."""
    patch = occlusion.patch
    return {"patch": patch.side, "stride": patch.stride, "fill": occlusion.fill, "of": of}


def title(unit: UnitQuery, of: Of) -> str:
    """What the map is of."""
    if of == "class" and unit.index is not None:
        return f"the probability of {unit.run.model.labels[unit.index].label}"
    if label_of(unit.run, unit.record.step, unit.channel):
        what = "probability" if unit.record.step.kind == "softmax" else "score"
        return f"the {what} of {unit.title}"
    if unit.run.spatial(unit.record.step.name) and unit.cell is None:
        return f"the mean of {unit.title}"
    return unit.title


def occlusion_picture(
    unit: UnitQuery, occlusion: OcclusionRequest, of: Of, progress: OcclusionSoFar
) -> bytes:
    """The map over the photo, next to the photo, as a picture for download."""
    limit = float(progress.drops.abs().max())
    rows, columns = progress.drops.shape
    over = heat_over(
        unit.run.fitted.pixels, progress.drops, frame(occlusion.patch, rows, columns), limit
    )
    patch = occlusion.patch
    captions = (
        f"A patch of {patch.side} pixels in {FILL_WORDS[occlusion.fill]}, moved by {patch.stride}",
        f"Amber: covering here lowers it, by up to {number(limit)}; blue: it rises",
    )
    pictures = plain_picture(unit.run.fitted.pixels), over
    figures = [CaptionedFigure(*one) for one in zip(pictures, captions, strict=True)]
    lines = [heat(unit, occlusion, of, progress).words]
    return figures_png(f"Where covering hurts {title(unit, of)}", figures, lines)


def table_rows(
    run: Run, occlusion: OcclusionRequest, progress: OcclusionSoFar
) -> list[tuple[object, ...]]:
    """A row of the table for each place of the patch."""
    places = occlusion.patch.places(run.model.outline.input_size)
    return [
        (y, x, top, bottom, left, right, progress.whole, progress.whole - drop, drop)
        for y, (top, bottom) in enumerate(places)
        for x, (left, right) in enumerate(places)
        for drop in [progress.drops[y, x].item()]
    ]


def _words(progress: OcclusionSoFar, text: Any, worst: tuple[int, int]) -> str:
    if not progress.done:
        return f"With nothing covered it is {text(progress.whole)}."
    if not progress.finished:
        left = max(1, ceil(progress.left))
        return (
            f"Row {progress.done} of {len(progress.drops)}; about {left} "
            f"second{'s' if left > 1 else ''} of computing left."
        )
    drop = progress.drops[worst].item()
    if drop <= 0:
        return f"It is {text(progress.whole)}, and no place lowers it."
    return (
        f"It is {text(progress.whole)}; covering the worst place, row {worst[0]}, "
        f"column {worst[1]}, leaves {text(progress.whole - drop)}."
    )


@dataclass(frozen=True, slots=True)
class OcclusionQuery:
    """A unit or class of a run, and the patch that slides."""

    unit: UnitQuery
    occlusion: OcclusionRequest
    of: Of


def occlusion_query(
    unit: UnitQueryDep,
    patch: Annotated[int | None, Query(description="Side, pixels.")] = None,
    stride: Annotated[int | None, Query(description="Pixels from one place to the next.")] = None,
    fill: Fill = "grey",
    of: Of = "unit",
) -> OcclusionQuery:
    """The occlusion map that a request names. Raises `BadRequest`, `NoClassifier`."""
    chosen = checked_patch(unit.run.model, patch, stride)
    return OcclusionQuery(unit, occlusion_of(unit, chosen, fill, of), of)


OcclusionQueryDep = Annotated[OcclusionQuery, Depends(occlusion_query)]


async def finished_map(query: OcclusionQuery, services: Services, owner: str) -> OcclusionSoFar:
    """The finished map, computed now if it is not cached. Raises `Busy`."""
    progress = cached_map(services.cuts, query.unit.run, query.occlusion)
    if progress.finished:
        return progress
    async with aclosing(occlusion_rows(query, services, owner)) as items:
        async for item in items:
            if isinstance(item, OcclusionSoFar):
                progress = item
    return progress


def occlusion_rows(
    query: OcclusionQuery, services: Services, owner: str
) -> AsyncGenerator[int | OcclusionSoFar]:
    run = query.unit.run
    return rows(services.engine, services.cuts, owner, run, query.occlusion)


def drawing_query(unit: UnitQuery, occlusion: OcclusionRequest, of: Of) -> str:
    """The query of the map's picture, with the digest that lets browsers keep it."""
    cell = {"y": unit.cell[0], "x": unit.cell[1]} if unit.cell else {}
    fields = {"channel": unit.channel, **cell, **named(occlusion, of), **unit.class_field}
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    return f"{query}&v={version(unit.run.model.row)}"
