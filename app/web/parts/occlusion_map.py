"""A panel: a patch slid over the picture, and where covering it costs a unit or a class most."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import Depends, Query

from app.pictures.figures import CaptionedFigure, figures_png, heat_over, plain_picture
from app.services.interventions.occlusion import (
    FILLS,
    Fill,
    OcclusionRequest,
    OcclusionSoFar,
    cached_map,
    checked_patch,
    probability_of,
    rows,
    sides,
    strides,
)
from app.services.runs.run import Run
from app.services.runs.sheets import version
from app.vision.occlusion import OcclusionPatch
from app.vision.units import Unit
from app.web.core.state import Services
from app.web.core.templating import number, percent
from app.web.parts.class_changes import no_classes
from app.web.parts.contexts import helped
from app.web.parts.photo import PhotoOverlay, photo
from app.web.parts.unit_names import label_of
from app.web.parts.unit_query import UnitQuery, UnitQueryDep, required

Of = Literal["unit", "class"]
FILL_WORDS = {"grey": "grey", "mean": "mean colour"}


@dataclass(frozen=True, slots=True)
class OcclusionChoices:
    """One choice of the form."""

    name: str = helped("Name of the field.")
    title: str = helped("What is chosen.")
    options: tuple[tuple[str, str], ...] = helped("Values, and what they are called.")
    current: str = helped("The value.")


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A map as far as it is."""

    image: str = helped("URL of its picture, empty before the first row.")
    frame: tuple[float, float, float, float] = helped("Where it lies on the input.")
    photo: PhotoOverlay = helped("The photo under it.")
    rows: int = helped("Rows of places.")
    columns: int = helped("Columns of places.")
    done: int = helped("Rows that are there.")
    drops: str = helped("The drops, row by row, as JSON.")
    patch: tuple[int, int] = helped("Side and stride of the patch, input pixels.")
    size: int = helped("Side of the input, pixels.")
    limit: str = helped("Where the colours end.")
    whole: str = helped("The value with nothing covered.")
    percent: bool = helped("Whether values are probabilities.")
    words: str = helped("How far it is, or what it found.")
    worst: tuple[int, int] = helped("The place that costs most.")
    status: str = helped("What a screen reader is told.")
    finished: bool = helped("Whether all rows are there.")


@dataclass(frozen=True, slots=True)
class OcclusionPanel:
    """The choices and the map."""

    title: str = helped("What the map is of.")
    choices: tuple[OcclusionChoices, ...] = helped("What can be chosen.")
    fields: dict[str, Any] = helped("The unit as fields of a form.")
    passes: int = helped("Places of the patch: a pass each.")
    heat: HeatMap = helped("The map as far as it is.")
    live: bool = helped("Whether a stream brings the rest.")
    events: str = helped("The stream.")
    again: str = helped("The panel that goes on.")
    address: str = helped("What the page's URL says of it.")
    why: str = helped("Why no class can be asked about, empty where one can.")
    over: str = helped("URL of the map over the photo, to be saved.")
    bare: str = helped("URL of the map alone, to be saved.")
    csv: str = helped("URL of the drops as a table.")


def occlusion_of(asked: UnitQuery, patch: OcclusionPatch, fill: Any, of: Of) -> OcclusionRequest:
    """What is asked: of the unit, or of the class. Raises `NoClassifier`."""
    if of == "class":
        unit = probability_of(asked.run.model, required(asked.index, asked.run))
    else:
        unit = Unit(asked.record.step.name, asked.channel, asked.cell)
    return OcclusionRequest(unit, patch, fill)


def occlusion_panel(
    asked: UnitQuery, wanted: OcclusionRequest, of: Of, laid: OcclusionSoFar, live: bool
) -> OcclusionPanel:
    """The whole panel."""
    state = named(wanted, of)
    query = asked.query(**state)
    files = f"{asked.view.run}/steps/{quote(asked.record.step.name)}/occlusion"
    return OcclusionPanel(
        title=title(asked, of),
        choices=_choices(asked, wanted, of),
        fields={**asked.names, **asked.class_field},
        passes=laid.drops.numel(),
        heat=heat(asked, wanted, of, laid),
        live=live and not laid.finished,
        events=f"/cut/occlusion/events?{query}",
        again=f"/cut/occlusion?{query}&start=true",
        address=asked.address(**state),
        why=no_classes(asked.run),
        over=f"{files}.png?{_part(asked, wanted, of)}&over=true&download={_file(asked)}.png",
        bare=f"{files}.png?{_part(asked, wanted, of)}&enlarge=8&download={_file(asked)}-plain.png",
        csv=f"{files}.csv?{_part(asked, wanted, of)}",
    )


def heat(asked: UnitQuery, wanted: OcclusionRequest, of: Of, laid: OcclusionSoFar) -> HeatMap:
    """The map as far as it is."""
    run, done = asked.run, laid.drops[: laid.done]
    rows, columns = laid.drops.shape
    is_share = wanted.unit.step == run.model.outline.steps[-1].name and bool(run.model.labels)
    text = percent if is_share else number
    image = f"{asked.view.run}/steps/{quote(asked.record.step.name)}/occlusion/rows.png"
    worst = divmod(int(done.argmax()), columns) if laid.done else (0, 0)
    words = _words(laid, text, worst)
    return HeatMap(
        image=f"{image}?{_part(asked, wanted, of)}&rows={laid.done}" if laid.done else "",
        frame=frame(wanted.patch, laid.done, columns),
        photo=photo(asked.view, run),
        rows=rows,
        columns=columns,
        done=laid.done,
        drops=json.dumps([[float(f"{v:.5g}") for v in row] for row in done.tolist()]),
        patch=(wanted.patch.side, wanted.patch.stride),
        size=run.model.outline.input_size,
        limit=text(float(done.abs().max())) if laid.done else "0",
        whole=text(laid.whole),
        percent=is_share,
        words=words,
        worst=worst,
        status=words if laid.finished else "",
        finished=laid.finished,
    )


def frame(patch: OcclusionPatch, rows: int, columns: int) -> tuple[float, float, float, float]:
    """Where a map of places lies on the input: each a square of one stride, amid its patch."""
    first = (patch.side - patch.stride) / 2
    return first, first, columns * patch.stride, rows * patch.stride


def named(wanted: OcclusionRequest, of: Of) -> dict[str, Any]:
    """The question as fields of a query, without its unit."""
    patch = wanted.patch
    return {"patch": patch.side, "stride": patch.stride, "fill": wanted.fill, "of": of}


def title(asked: UnitQuery, of: Of) -> str:
    """What the map is of."""
    if of == "class" and asked.index is not None:
        return f"the probability of {asked.run.model.labels[asked.index].label}"
    if label_of(asked.run, asked.record.step, asked.channel):
        what = "probability" if asked.record.step.kind == "softmax" else "score"
        return f"the {what} of {asked.title}"
    if asked.run.spatial(asked.record.step.name) and asked.cell is None:
        return f"the mean of {asked.title}"
    return asked.title


def occlusion_picture(
    asked: UnitQuery, wanted: OcclusionRequest, of: Of, laid: OcclusionSoFar
) -> bytes:
    """The map over the photo, beside the photo, to take home."""
    limit = float(laid.drops.abs().max())
    rows, columns = laid.drops.shape
    over = heat_over(asked.run.fitted.pixels, laid.drops, frame(wanted.patch, rows, columns), limit)
    patch = wanted.patch
    captions = (
        f"A patch of {patch.side} pixels in {FILL_WORDS[wanted.fill]}, moved by {patch.stride}",
        f"Amber: covering here lowers it, by up to {number(limit)}; blue: it rises",
    )
    pictures = plain_picture(asked.run.fitted.pixels), over
    figures = [CaptionedFigure(*one) for one in zip(pictures, captions, strict=True)]
    lines = [heat(asked, wanted, of, laid).words]
    return figures_png(f"Where covering hurts {title(asked, of)}", figures, lines)


def table_rows(
    run: Run, wanted: OcclusionRequest, laid: OcclusionSoFar
) -> list[tuple[object, ...]]:
    """A line for each place of the patch."""
    places = wanted.patch.places(run.model.outline.input_size)
    return [
        (y, x, top, bottom, left, right, laid.whole, laid.whole - drop, drop)
        for y, (top, bottom) in enumerate(places)
        for x, (left, right) in enumerate(places)
        for drop in [laid.drops[y, x].item()]
    ]


def _words(laid: OcclusionSoFar, text: Any, worst: tuple[int, int]) -> str:
    if not laid.done:
        return f"With nothing covered it is {text(laid.whole)}."
    if not laid.finished:
        left = max(1, ceil(laid.left))
        return (
            f"Row {laid.done} of {len(laid.drops)}; about {left} second{'s' if left > 1 else ''} "
            "of computing left."
        )
    drop = laid.drops[worst].item()
    if drop <= 0:
        return f"It is {text(laid.whole)}, and no place lowers it."
    return (
        f"It is {text(laid.whole)}; covering the worst place, row {worst[0]}, column {worst[1]}, "
        f"leaves {text(laid.whole - drop)}."
    )


def _choices(asked: UnitQuery, wanted: OcclusionRequest, of: Of) -> tuple[OcclusionChoices, ...]:
    size = asked.run.model.outline.input_size
    patch = wanted.patch

    def pixels(name: str, text: str, usual: tuple[int, ...], current: int) -> OcclusionChoices:
        values = sorted({*usual, current})
        return OcclusionChoices(
            name, text, tuple((str(v), f"{v} px") for v in values), str(current)
        )

    found = [
        pixels("patch", "Patch", sides(size), patch.side),
        pixels("stride", "Moved by", strides(size), patch.stride),
        OcclusionChoices(
            "fill", "Filled with", tuple((f, FILL_WORDS[f]) for f in FILLS), wanted.fill
        ),
    ]
    if asked.index is not None and asked.record.step.kind != "softmax":
        options = (("unit", title(asked, "unit")), ("class", title(asked, "class")))
        found.append(OcclusionChoices("of", "Drop of", options, of))
    return tuple(found)


def _part(asked: UnitQuery, wanted: OcclusionRequest, of: Of) -> str:
    cell = {"y": asked.cell[0], "x": asked.cell[1]} if asked.cell else {}
    fields = {"channel": asked.channel, **cell, **named(wanted, of), **asked.class_field}
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    return f"{query}&v={version(asked.run.model.row)}"


def _file(asked: UnitQuery) -> str:
    view = asked.view
    return f"{view.model}-{view.image[:12]}-{asked.record.step.name}-{asked.channel}-occlusion"


@dataclass(frozen=True, slots=True)
class OcclusionQuery:
    """A unit or class of a run, and the patch that is slid."""

    asked: UnitQuery
    wanted: OcclusionRequest
    of: Of


def occlusion_query(
    asked: UnitQueryDep,
    patch: Annotated[int | None, Query(description="Side, pixels.")] = None,
    stride: Annotated[int | None, Query(description="Pixels from place to place.")] = None,
    fill: Fill = "grey",
    of: Of = "unit",
) -> OcclusionQuery:
    """What a request asks. Raises `BadRequest`, `NoClassifier`."""
    chosen = checked_patch(asked.run.model, patch, stride)
    return OcclusionQuery(asked, occlusion_of(asked, chosen, fill, of), of)


OcclusionQueryDep = Annotated[OcclusionQuery, Depends(occlusion_query)]


async def finished_map(question: OcclusionQuery, services: Services, owner: str) -> OcclusionSoFar:
    """The finished map, computed now where it is not kept. Raises `Busy`."""
    laid = cached_map(services.cuts, question.asked.run, question.wanted)
    if laid.finished:
        return laid
    async with aclosing(_rows(question, services, owner)) as items:  # type: ignore[type-var]
        async for item in items:
            if isinstance(item, OcclusionSoFar):
                laid = item
    return laid


def _rows(
    question: OcclusionQuery, services: Services, owner: str
) -> AsyncIterator[int | OcclusionSoFar]:
    run = question.asked.run
    return rows(services.engine, services.cuts, owner, run, question.wanted)
