"""Panel of the brush: the picture covered by a mask, the effect, and storing it as an upload."""

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
from app.services.interventions.brush import BrushStroke, brush, covered
from app.services.interventions.results import BrushResult
from app.services.pictures.mask import SIDE, Mask
from app.services.runs.sheets import version
from app.vision.cover import How, StepChange, limits
from app.vision.shift import relative_change
from app.web.core.base_path import base
from app.web.core.file_responses import csv_response, file_response
from app.web.core.htmx import by_htmx
from app.web.core.links import View, input_url
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.templating import number, percent, relative_percent, render
from app.web.core.work import WorkDep
from app.web.panels.interventions.panel_response import has_units, panel_response
from app.web.panels.panel import UnitPanel
from app.web.parts.class_changes import ClassChanges, class_changes, why_no_classes
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
    """A statistic of the unit before and after."""

    name: str
    before: str
    after: str  # with the part covered
    change: str  # after minus before


@dataclass(frozen=True, slots=True)
class MapTriple:
    """One map before, after, and their difference, as a sheet of three tiles."""

    sheet: str  # URL
    size: tuple[int, int]  # rows and columns of a map
    limit: str  # the magnitude at which colours of before and after end: one scale for both
    apart: str  # the same for the difference


@dataclass(frozen=True, slots=True)
class CoverResult:
    """The effect of a mask."""

    title: str  # the unit in words
    address: str  # the query string of the panel for the page's URL
    picture: str  # URL, pixel for pixel
    sentence: str  # what is covered
    maps: MapTriple | None  # None if the unit has no map
    rows: tuple[FigureChange, ...]  # statistics of the unit
    moved: str  # relative change of the map
    classes: ClassChanges | None
    why: str  # why there are no classes; "" if there are
    png: str  # URL of the result as a picture
    csv: str  # URL of the numbers as a table
    hidden: dict[str, Any]  # the unit and the mask as hidden fields of a form
    links: str  # the panel's URL up to the queried class
    empty: bool  # whether nothing is covered


@dataclass(frozen=True, slots=True)
class MaskPreset:
    """A preset mask."""

    title: str
    text: str  # the mask as a URL has it
    url: str


@dataclass(frozen=True, slots=True)
class CoverPanel:
    """The brush and its effect."""

    result: CoverResult = helped("The effect of the mask.")
    size: int = helped("Side of the network's input, pixels.")
    side: int = helped("Cells along one side of the mask.")
    input: str = helped("URL of the picture as the network gets it.")
    mask: str = helped("The mask as text.")
    cells: frozenset[int] = helped("Covered cells, in reading order.")
    how: How = helped("Fill of the covered cells.")
    hows: tuple[How, ...] = helped("The fills to choose from.")
    presets: tuple[MaskPreset, ...] = helped("The preset masks.")
    live: str = helped("URL of the effect, without mask and fill.")
    fields: dict[str, Any] = helped("The unit and the class as fields of a form.")


def cover_panel(unit: UnitQuery, stroke: BrushStroke, result: BrushResult) -> CoverPanel:
    """The whole panel."""
    mask, url = str(stroke.mask), f"{base()}/cut/cover"
    return CoverPanel(
        result=cover_result(unit, stroke, result),
        size=unit.run.model.outline.input_size,
        side=SIDE,
        input=input_url(unit.view, unit.run.model),
        mask=mask,
        cells=frozenset(stroke.mask.cells),
        how=stroke.how,
        hows=HOWS,
        presets=tuple(
            MaskPreset(title, str(one), f"{url}?{unit.query(cover=one, how=stroke.how)}")
            for title, one in PRESETS
        ),
        live=f"{url}/live?{unit.query()}",
        fields={**unit.names, **unit.class_field},
    )


def cover_result(unit: UnitQuery, stroke: BrushStroke, result: BrushResult) -> CoverResult:
    """The effect of a mask, as the page shows it after each stroke."""
    run, change = unit.run, result.map
    made = stroke_fields(stroke)
    hidden = {**unit.names, **made}
    return CoverResult(
        title=unit.title,
        address=unit.address(cover=made["cover"], how="" if stroke.how == "grey" else stroke.how),
        picture=f"{unit.view.run}/cover.png?{_part(unit, stroke)}",
        sentence=sentence(stroke),
        maps=_triple(unit, stroke, change),
        rows=_rows(unit, change),
        moved=relative_percent(relative_change(change.before, change.after)),
        classes=_classes(unit, result),
        why=why_no_classes(run),
        png=f"{base()}/cut/cover.png?{unit.query(**made)}",
        csv=f"{base()}/cut/cover.csv?{unit.query(**made)}",
        hidden=hidden,
        links=f"{base()}/cut/cover?{unit.query(**made)}",
        empty=not stroke.mask.count,
    )


def stroke_fields(stroke: BrushStroke) -> dict[str, str]:
    """A mask and its fill as query fields."""
    return {"cover": str(stroke.mask), "how": stroke.how}


def sentence(stroke: BrushStroke) -> str:
    """What is covered, in words."""
    if not stroke.mask.count:
        return "Nothing is covered yet."
    share = stroke.mask.count / SIDE**2
    return f"{percent(share)} of the picture is covered with {WORDS[stroke.how]}."


def table_rows(unit: UnitQuery, result: BrushResult) -> list[tuple[object, ...]]:
    """All numbers: the map cell by cell, then all classes."""
    change = result.map
    name, channel = unit.record.step.name, unit.channel
    before, after = (_grid(one) for one in (change.before, change.after))
    rows: list[tuple[object, ...]] = [
        (name, channel, y, x, a, b, b - a)
        for y, line in enumerate(zip(before.tolist(), after.tolist(), strict=True))
        for x, (a, b) in enumerate(zip(*line, strict=True))
    ]
    if result.logits is None:
        return rows
    shares = result.logits.before.softmax(0).tolist(), result.logits.after.softmax(0).tolist()
    labels = unit.run.model.labels
    pairs = zip(*shares, strict=True)
    return rows + [(labels[i].label, i, "", "", a, b, b - a) for i, (a, b) in enumerate(pairs)]


def cover_picture(unit: UnitQuery, stroke: BrushStroke, result: BrushResult) -> bytes:
    """The panel as a picture for download."""
    change = result.map
    figures = [CaptionedFigure(plain_picture(result.pixels), "The picture as the network gets it")]
    if change.before.ndim == 2:
        both, apart = limits(change)
        scale = f"blue below zero, amber above, up to ±{number(both)}"
        figures += [
            CaptionedFigure(coloured(change.before, both), f"{unit.title}, before: {scale}"),
            CaptionedFigure(coloured(change.after, both), "Covered, on the same scale"),
            CaptionedFigure(
                coloured(change.difference, apart), f"After minus before, to ±{number(apart)}"
            ),
        ]
    lines = [sentence(stroke)]
    lines += [f"{r.name}: {r.before} before, {r.after} covered." for r in _rows(unit, change)]
    if made := _classes(unit, result):
        lines.append(made.sentence)
        lines += [
            f"{r.label}: {percent(r.before)} before, {percent(r.after)} covered" for r in made.rows
        ]
    return figures_png(f"{unit.run.model.row.title}: a part covered", figures, lines)


def _part(unit: UnitQuery, stroke: BrushStroke) -> str:
    return f"mask={stroke.mask}&how={stroke.how}&v={version(unit.run.model.row)}"


def _triple(unit: UnitQuery, stroke: BrushStroke, change: StepChange) -> MapTriple | None:
    if change.before.ndim != 2:
        return None
    both, apart = limits(change)
    step = quote(unit.record.step.name)
    url = f"{unit.view.run}/steps/{step}/cover.png?channel={unit.channel}&{_part(unit, stroke)}"
    rows, columns = change.before.shape
    return MapTriple(url, (rows, columns), number(both), number(apart))


def _classes(unit: UnitQuery, result: BrushResult) -> ClassChanges | None:
    if result.logits is None or unit.index is None:
        return None
    return class_changes(unit.run, result.logits, unit.index)


def _rows(unit: UnitQuery, change: StepChange) -> tuple[FigureChange, ...]:
    a, b = change.before, change.after
    if a.ndim != 2:
        if unit.record.step.kind == "softmax":
            return (_row("Probability", float(a), float(b), percent),)
        return (_row("Value", float(a), float(b)),)
    rows = [
        _row("Mean of the map", float(a.mean()), float(b.mean())),
        _row("Highest", float(a.max()), float(b.max())),
    ]
    if unit.cell:
        y, x = unit.cell
        rows.insert(0, _row(f"Row {y}, column {x}", float(a[y, x]), float(b[y, x])))
    return tuple(rows)


def _row(name: str, before: float, after: float, text: Any = number) -> FigureChange:
    change = after - before
    sign = "+" if change > 0 else "−" if change < 0 else ""
    return FigureChange(name, text(before), text(after), f"{sign}{text(abs(change))}")


def _grid(values: Tensor) -> Tensor:
    return values if values.ndim == 2 else values.view(1, 1)


router = APIRouter(prefix="/cut")

MaskText = Annotated[str, Query(max_length=100, description="Covered cells.")]


def stroke(
    cover: MaskText = "",
    how: How = "grey",
    cell: Annotated[list[int] | None, Query(max_length=256)] = None,
) -> BrushStroke:
    """The mask that the request names, as text or as ticked cells. Raises `BadRequest`."""
    return BrushStroke(Mask.of(cell) if cell else Mask.read(cover), how)


StrokeDep = Annotated[BrushStroke, Depends(stroke)]


@router.get("/cover")
async def panel(
    request: Request, unit: UnitQueryDep, stroke: StrokeDep, services: ServicesDep
) -> Response:
    """The brush and its effect. A form's ticked cells are redirected to a link to share."""
    if "cell" in request.query_params and not by_htmx(request):
        return RedirectResponse(f"{base()}/cut/cover?{unit.query(**stroke_fields(stroke))}", 303)
    found = await _brushed(services, unit, stroke)
    return panel_response(
        request, "partials/interventions/_cover.html", unit, cover_panel(unit, stroke, found)
    )


@router.get("/cover/live")
async def live(
    request: Request, unit: UnitQueryDep, stroke: StrokeDep, services: ServicesDep
) -> Response:
    """Only the effect of a mask."""
    found = await _brushed(services, unit, stroke)
    context = {"result": as_dict(cover_result(unit, stroke, found)), "plain": False}
    return render(request, "partials/interventions/_covered.html", context)


@router.get("/cover.png")
async def png(
    unit: UnitQueryDep, side: WorkDep, stroke: StrokeDep, services: ServicesDep
) -> Response:
    """The result as a picture."""
    found = await _brushed(services, unit, stroke)
    made = await side(cover_picture, unit, stroke, found)
    return file_response(made, "image/png", False, f"{_name(unit)}-covered.png")


@router.get("/cover.csv")
async def csv(
    unit: UnitQueryDep, side: WorkDep, stroke: StrokeDep, services: ServicesDep
) -> Response:
    """The map cell by cell, then the classes."""
    found = await _brushed(services, unit, stroke)
    head = ("step or class", "channel or index", "row", "column", "before", "covered", "change")
    return await side(csv_response, head, table_rows(unit, found), f"{_name(unit)}-covered.csv")


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
    """Store the covered picture as an upload of this browser, and show it."""
    wanted = BrushStroke(Mask.read(cover), how)
    async with services.runs.listen(model, image) as run:
        png = input_png(await asyncio.to_thread(covered, run, wanted))
        name = f"covered with {WORDS[how]}"
        stored = await asyncio.to_thread(services.pictures.add, png, owner, name)
    view = View(model=model, image=stored.id, step=step, channel=channel)
    return RedirectResponse(view.url(), 303)


async def _brushed(services: Services, unit: UnitQuery, stroke: BrushStroke) -> BrushResult:
    return await brush(services.engine, services.cuts, unit.run, unit.record, unit.channel, stroke)


def _name(unit: UnitQuery) -> str:
    view = unit.view
    return f"{view.model}-{view.image[:12]}-{unit.record.step.name}-{unit.channel}"


PANEL = UnitPanel("cover", "Cover a part", has_units, router=router, path="/cut/cover")
