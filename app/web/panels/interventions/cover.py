"""The brush: what is covered, what that does, and the covered picture as one's own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, get_args
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from torch import Tensor

from app.pictures.figures import CaptionedFigure, coloured, figures_png, plain_picture
from app.pictures.preprocess import input_png
from app.services.interventions.brush import BrushResult, BrushStroke, brush, covered
from app.services.pictures.mask import SIDE, Mask
from app.services.runs.sheets import version
from app.vision.cover import How, StepChange, limits, relative_change
from app.web.core.file_responses import csv_response, file_response
from app.web.core.htmx import by_htmx
from app.web.core.links import View, input_url
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.templating import number, percent, render
from app.web.panels.interventions.page import answer
from app.web.parts.class_changes import Classes, classes, no_classes
from app.web.parts.contexts import as_dict, helped
from app.web.parts.unit_query import UnitQuery, UnitQueryDep

HOWS: tuple[How, ...] = get_args(How)
WORDS: dict[How, str] = {"grey": "grey", "blur": "blur", "noise": "noise"}

_HALF, _FULL = 0x00FF, 0xFFFF
_MIDDLE = (0,) * 4 + (0x0FF0,) * 8 + (0,) * 4
PRESETS: tuple[tuple[str, Mask], ...] = (
    ("Left half", Mask((_HALF << 8,) * SIDE)),
    ("Right half", Mask((_HALF,) * SIDE)),
    ("Top half", Mask((_FULL,) * 8 + (0,) * 8)),
    ("Middle", Mask(_MIDDLE)),
    ("Not the middle", Mask(tuple(_FULL ^ row for row in _MIDDLE))),
)


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure of the unit before and after."""

    name: str = helped("What is measured.")
    before: str = helped("Before.")
    after: str = helped("With the part covered.")
    change: str = helped("After less before.")


@dataclass(frozen=True, slots=True)
class MapTriple:
    """One map before, after, and their difference, as a sheet of three tiles."""

    sheet: str = helped("URL of the sheet.")
    size: tuple[int, int] = helped("Rows and columns of a map.")
    limit: str = helped("Where the colours of before and after end: one scale for both.")
    apart: str = helped("Where those of the difference end.")


@dataclass(frozen=True, slots=True)
class CoverResult:
    """What a stroke did."""

    title: str = helped("The unit in words.")
    address: str = helped("What the page's URL says of it.")
    picture: str = helped("URL of the covered picture, pixel for pixel.")
    sentence: str = helped("What is covered.")
    maps: MapTriple | None = helped("The map, where the unit has one.")
    rows: tuple[FigureChange, ...] = helped("Figures of the unit.")
    moved: str = helped("How far the map moved, relative.")
    classes: Classes | None = helped("The classes, where there are any.")
    why: str = helped("Why there are no classes, empty where there are.")
    png: str = helped("URL of all this as a picture.")
    csv: str = helped("URL of the numbers as a table.")
    hidden: dict[str, Any] = helped("The unit and the stroke as fields of a form.")
    links: str = helped("The panel's URL up to the class asked about.")
    empty: bool = helped("Whether nothing is covered.")


@dataclass(frozen=True, slots=True)
class MaskPreset:
    """A mask to begin with."""

    title: str = helped("Its name.")
    text: str = helped("It as a text.")
    url: str = helped("The panel with it.")


@dataclass(frozen=True, slots=True)
class CoverPanel:
    """The brush and what it did."""

    result: CoverResult = helped("What the stroke did.")
    size: int = helped("Side of the network's input, pixels.")
    side: int = helped("Cells along a side of the mask.")
    input: str = helped("URL of the picture as the network gets it.")
    mask: str = helped("The mask as a text.")
    cells: frozenset[int] = helped("Covered cells, in reading order.")
    how: How = helped("How it is covered.")
    hows: tuple[How, ...] = helped("The ways to cover.")
    presets: tuple[MaskPreset, ...] = helped("Masks to begin with.")
    live: str = helped("Where the page asks what a stroke did, without mask and way.")
    fields: dict[str, Any] = helped("The unit and the class as fields of a form.")


def cover_panel(asked: UnitQuery, stroke: BrushStroke, found: BrushResult) -> CoverPanel:
    """The whole panel."""
    mask = str(stroke.mask)
    return CoverPanel(
        result=cover_result(asked, stroke, found),
        size=asked.run.model.outline.input_size,
        side=SIDE,
        input=input_url(asked.view, asked.run.model),
        mask=mask,
        cells=frozenset(stroke.mask.cells),
        how=stroke.how,
        hows=HOWS,
        presets=tuple(
            MaskPreset(title, str(one), f"/cut/cover?{asked.query(cover=one, how=stroke.how)}")
            for title, one in PRESETS
        ),
        live=f"/cut/cover/live?{asked.query()}",
        fields={**asked.names, **asked.class_field},
    )


def cover_result(asked: UnitQuery, stroke: BrushStroke, found: BrushResult) -> CoverResult:
    """What a stroke did, as the page shows it after each."""
    run, change = asked.run, found.map
    made = stroke_fields(stroke)
    unit = {**asked.names, **made}
    return CoverResult(
        title=asked.title,
        address=asked.address(cover=made["cover"], how="" if stroke.how == "grey" else stroke.how),
        picture=f"{asked.view.run}/cover.png?{_part(asked, stroke)}",
        sentence=sentence(stroke),
        maps=_triple(asked, stroke, change),
        rows=_rows(asked, change),
        moved=percent(relative_change(change)),
        classes=_classes(asked, found),
        why=no_classes(run),
        png=f"/cut/cover.png?{asked.query(**made)}",
        csv=f"/cut/cover.csv?{asked.query(**made)}",
        hidden=unit,
        links=f"/cut/cover?{asked.query(**made)}",
        empty=not stroke.mask.count,
    )


def stroke_fields(stroke: BrushStroke) -> dict[str, str]:
    """A stroke as fields of a query."""
    return {"cover": str(stroke.mask), "how": stroke.how}


def sentence(stroke: BrushStroke) -> str:
    """What is covered, in words."""
    if not stroke.mask.count:
        return "Nothing is covered yet."
    share = stroke.mask.count / SIDE**2
    return f"{percent(share)} of the picture is covered with {WORDS[stroke.how]}."


def table_rows(asked: UnitQuery, found: BrushResult) -> list[tuple[object, ...]]:
    """Every number: the map cell by cell, then all classes."""
    change = found.map
    name, channel = asked.record.step.name, asked.channel
    before, after = (_grid(one) for one in (change.before, change.after))
    rows: list[tuple[object, ...]] = [
        (name, channel, y, x, a, b, b - a)
        for y, line in enumerate(zip(before.tolist(), after.tolist(), strict=True))
        for x, (a, b) in enumerate(zip(*line, strict=True))
    ]
    if found.logits is None:
        return rows
    shares = found.logits.before.softmax(0).tolist(), found.logits.after.softmax(0).tolist()
    labels = asked.run.model.labels
    pairs = zip(*shares, strict=True)
    return rows + [(labels[i].label, i, "", "", a, b, b - a) for i, (a, b) in enumerate(pairs)]


def cover_picture(asked: UnitQuery, stroke: BrushStroke, found: BrushResult) -> bytes:
    """The panel as a picture to take home."""
    change = found.map
    figures = [CaptionedFigure(plain_picture(found.pixels), "The picture as the network gets it")]
    if change.before.ndim == 2:
        both, apart = limits(change)
        scale = f"blue below zero, amber above, up to ±{number(both)}"
        figures += [
            CaptionedFigure(coloured(change.before, both), f"{asked.title}, before: {scale}"),
            CaptionedFigure(coloured(change.after, both), "Covered, on the same scale"),
            CaptionedFigure(
                coloured(change.difference, apart), f"After less before, to ±{number(apart)}"
            ),
        ]
    lines = [sentence(stroke)]
    lines += [f"{r.name}: {r.before} before, {r.after} covered." for r in _rows(asked, change)]
    if made := _classes(asked, found):
        lines.append(made.sentence)
        lines += [
            f"{r.label}: {percent(r.before)} before, {percent(r.after)} covered" for r in made.rows
        ]
    return figures_png(f"{asked.run.model.row.title}: a part covered", figures, lines)


def _part(asked: UnitQuery, stroke: BrushStroke) -> str:
    return f"mask={stroke.mask}&how={stroke.how}&v={version(asked.run.model.row)}"


def _triple(asked: UnitQuery, stroke: BrushStroke, change: StepChange) -> MapTriple | None:
    if change.before.ndim != 2:
        return None
    both, apart = limits(change)
    step = quote(asked.record.step.name)
    url = f"{asked.view.run}/steps/{step}/cover.png?channel={asked.channel}&{_part(asked, stroke)}"
    rows, columns = change.before.shape
    return MapTriple(url, (rows, columns), number(both), number(apart))


def _classes(asked: UnitQuery, found: BrushResult) -> Classes | None:
    if found.logits is None or asked.index is None:
        return None
    return classes(asked.run, found.logits, asked.index)


def _rows(asked: UnitQuery, change: StepChange) -> tuple[FigureChange, ...]:
    a, b = change.before, change.after
    if a.ndim != 2:
        if asked.record.step.kind == "softmax":
            return (_row("Probability", float(a), float(b), percent),)
        return (_row("Value", float(a), float(b)),)
    rows = [
        _row("Mean of the map", float(a.mean()), float(b.mean())),
        _row("Highest", float(a.max()), float(b.max())),
    ]
    if asked.cell:
        y, x = asked.cell
        rows.insert(0, _row(f"Row {y}, column {x}", float(a[y, x]), float(b[y, x])))
    return tuple(rows)


def _row(name: str, before: float, after: float, text: Any = number) -> FigureChange:
    change = after - before
    sign = "+" if change > 0 else "−" if change < 0 else ""
    return FigureChange(name, text(before), text(after), f"{sign}{text(abs(change))}")


def _grid(values: Tensor) -> Tensor:
    return values if values.ndim == 2 else values.view(1, 1)


router = APIRouter()

MaskText = Annotated[str, Query(max_length=100, description="Covered cells.")]


def stroke(
    cover: MaskText = "",
    how: How = "grey",
    cell: Annotated[list[int] | None, Query(max_length=256)] = None,
) -> BrushStroke:
    """What the request covers: a mask, or cells that a form ticks. Raises `BadRequest`."""
    return BrushStroke(Mask.of(cell) if cell else Mask.read(cover), how)


StrokeDep = Annotated[BrushStroke, Depends(stroke)]


@router.get("/cover")
async def panel(
    request: Request, asked: UnitQueryDep, stroke: StrokeDep, services: ServicesDep
) -> Response:
    """The brush with what it did. A form's ticks become a link that can be passed on."""
    if "cell" in request.query_params and not by_htmx(request):
        return RedirectResponse(f"/cut/cover?{asked.query(**stroke_fields(stroke))}", 303)
    found = await _brushed(services, asked, stroke)
    return answer(request, "partials/cut/_cover.html", asked, cover_panel(asked, stroke, found))


@router.get("/cover/live")
async def live(
    request: Request, asked: UnitQueryDep, stroke: StrokeDep, services: ServicesDep
) -> Response:
    """What a stroke did, alone."""
    found = await _brushed(services, asked, stroke)
    context = {"result": as_dict(cover_result(asked, stroke, found)), "plain": False}
    return render(request, "partials/cut/_covered.html", context)


@router.get("/cover.png")
async def png(asked: UnitQueryDep, stroke: StrokeDep, services: ServicesDep) -> Response:
    """All of it as a picture."""
    found = await _brushed(services, asked, stroke)
    made = await asyncio.to_thread(cover_picture, asked, stroke, found)
    return file_response(made, "image/png", False, f"{_name(asked)}-covered.png")


@router.get("/cover.csv")
async def csv(asked: UnitQueryDep, stroke: StrokeDep, services: ServicesDep) -> Response:
    """The map cell by cell, then the classes."""
    found = await _brushed(services, asked, stroke)
    head = ("step or class", "channel or index", "row", "column", "before", "covered", "change")
    return csv_response(head, table_rows(asked, found), f"{_name(asked)}-covered.csv")


@router.post("/cover")
async def use(
    services: ServicesDep,
    owner: OwnerDep,
    model: Annotated[str, Form()],
    image: Annotated[str, Form()],
    step: Annotated[str, Form()],
    channel: Annotated[int, Form(ge=0)],
    cover: Annotated[str, Form()] = "",
    how: Annotated[How, Form()] = "grey",
) -> Response:
    """Keep the covered picture as one of this browser's own, and show it."""
    wanted = BrushStroke(Mask.read(cover), how)
    async with services.runs.listen(model, image) as run:
        png = input_png(await asyncio.to_thread(covered, run, wanted))
        name = f"covered with {WORDS[how]}"
        stored = await asyncio.to_thread(services.pictures.add, png, owner, name)
    return RedirectResponse(View(model, stored.id, step, channel).url(), 303)


async def _brushed(services: Services, asked: UnitQuery, stroke: BrushStroke) -> BrushResult:
    return await brush(
        services.engine, services.cuts, asked.run, asked.record, asked.channel, stroke
    )


def _name(asked: UnitQuery) -> str:
    view = asked.view
    return f"{view.model}-{view.image[:12]}-{asked.record.step.name}-{asked.channel}"
