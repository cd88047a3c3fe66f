"""Routes of the explorer: the whole page, or the pane that htmx requests."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from app.errors import BadRequest
from app.pictures.samples import all_samples
from app.services.runs.run import Run
from app.services.runs.sheets import SCALES
from app.web.core.file_responses import file_response
from app.web.core.htmx import by_htmx, target
from app.web.core.links import View, Zoom
from app.web.core.operator import OperatorDep
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.templating import render
from app.web.core.uploads import delete_upload, store_upload
from app.web.core.url_view import Index, Name
from app.web.core.work import WorkDep
from app.web.explorer.arithmetic.contexts import ArithmeticPane
from app.web.explorer.arithmetic.drawing import arithmetic_png
from app.web.explorer.arithmetic.pane import arithmetic_pane
from app.web.explorer.contexts import ExplorerPage, StepPane, UnitPane
from app.web.explorer.evidence import step_pane, unit_pane
from app.web.explorer.kept_unit import kept_card
from app.web.explorer.kernel_wall import wall as kernel_wall
from app.web.explorer.network_menu import choices, stage_step
from app.web.explorer.picture_pane import gallery, picture_pane
from app.web.explorer.river import river
from app.web.panels.panel import Panel, PanelsDep
from app.web.panels.synthesis.pictures import responds, wall_link
from app.web.panels.unit_panels import unit_links
from app.web.parts.contexts import as_dict
from app.web.parts.photo import link_expires
from app.web.parts.step_words import STAGES
from app.web.parts.unit_query import UnitViewDep

router = APIRouter(include_in_schema=False)

PANES = {
    "aside#evidence": "partials/_evidence.html",
    "section#gallery": "partials/_gallery.html",
    "div#stream": "partials/_change.html",
}
"""The response for each target of htmx; any other gets the whole page."""


@router.get("/")
async def explore(
    request: Request,
    services: ServicesDep,
    owner: OwnerDep,
    panels: PanelsDep,
    operator: OperatorDep,
    asked: Annotated[View, Query()],
    instead_of: str = "",
) -> Response:
    """The page that the URL names, or the part of it that changed.

    If a network replaces another (`instead_of`), the step on screen becomes the similar one.
    """
    view = asked.changed(
        model=asked.model or services.settings.model, image=asked.image or all_samples()[0].id
    )
    if instead_of:
        before, now = (services.catalogue.model(id) for id in (instead_of, view.model))
        return RedirectResponse(view.url(step=stage_step(before, view.step, now)), 303)
    template = PANES.get(target(request), "pages/explore.html")
    context = await page(view, services, owner, panels, operator)
    # A whole network's cards take a twentieth of a second: everybody else goes on meanwhile.
    return await asyncio.to_thread(render, request, template, context)


@router.get("/deep.png")
async def deep_picture(
    services: ServicesDep,
    side: WorkDep,
    unit: UnitViewDep,
    zoom: Zoom = "arithmetic",
    source: Index | None = None,
    path: Name | None = None,
) -> Response:
    """The arithmetic of a cell, or its chain, as a picture."""
    view = unit.changed(zoom=zoom, source=source, path=path or None)
    async with services.runs.listen(view.model, view.image) as run:
        record = await run.record(view.step or "")
        png = await side(lambda: arithmetic_png(arithmetic_pane(view, run, record)))
    named = f"{view.model}-{view.image[:12]}-{view.step}-{view.channel}-{zoom}.png"
    return file_response(png, "image/png", False, named)


@router.post("/images")
async def upload(
    request: Request,
    services: ServicesDep,
    owner: OwnerDep,
    panels: PanelsDep,
    operator: OperatorDep,
    file: UploadFile,
    model: Annotated[str, Form()] = "",
) -> Response:
    """Upload a picture and show it."""
    stored = await store_upload(request, services, file, owner)
    view = View(model=model or services.settings.model, image=stored.id)
    if not by_htmx(request):
        return RedirectResponse(view.url(), 303)
    context = await page(view, services, owner, panels, operator) | {"regallery": True}
    response = render(request, "partials/_change.html", context)
    response.headers["HX-Push-Url"] = view.url()
    return response


@router.post("/images/{image}/delete")
async def delete(
    request: Request,
    image: str,
    services: ServicesDep,
    owner: OwnerDep,
    panels: PanelsDep,
    operator: OperatorDep,
    shown: Annotated[str, Form()] = "",
) -> Response:
    """Delete an uploaded picture; if it is on screen, the first sample replaces it."""
    await delete_upload(services, image, owner)
    home = View(model=services.settings.model, image=all_samples()[0].id)
    if not by_htmx(request):
        return RedirectResponse(home.url(), 303)
    context = await page(home, services, owner, panels, operator) | {"regallery": True}
    if shown != image:
        return render(request, "partials/_gallery_only.html", context)
    response = render(request, "partials/_change.html", context)
    response.headers["HX-Replace-Url"] = home.url()
    return response


async def page(
    view: View, services: Services, owner: str, panels: tuple[Panel, ...], operator: bool
) -> dict[str, Any]:
    """The context of the whole page; if the run is not cached yet, the cards come by event stream.

    The run starts here and continues while the page is sent: its stream joins it.
    """
    model = services.catalogue.model(view.model)
    async with AsyncExitStack() as stack:
        run = await stack.enter_async_context(services.runs.listen(view.model, view.image))
        kept = run.finished
        evidence = await _evidence(view, run, services, panels)
        whole = ExplorerPage(
            view=view,
            choices=choices(view, services, operator),
            refused=tuple(services.catalogue.shelf.refused()),
            model=model,
            device=services.engine.title,
            picture=picture_pane(view, run, services, owner),
            gallery=gallery(view, services, owner),
            river=await asyncio.to_thread(river, view, model, run if kept else None),
            evidence=evidence,
            scales=SCALES,
            stages=STAGES,
            link_expires=link_expires(view, services),
            kept=await kept_card(view, run),
        )
    return as_dict(whole)


async def _evidence(
    view: View, run: Run, services: Services, panels: tuple[Panel, ...]
) -> StepPane | UnitPane | ArithmeticPane | None:
    if view.step is None:
        if view.channel is not None:
            raise BadRequest("A channel belongs to a step: name the step as well.")
        return None
    record = await run.record(view.step)
    links = unit_links(panels, view, run.model, record.step)
    if view.channel is None:
        kernels = await kernel_wall(view, run, record.step, services.catalogue)
        pane = step_pane(view, run, record, links, kernels)
        return replace(pane, pictures=wall_link(view, run.model, record.step))
    if view.zoom:
        return await asyncio.to_thread(arithmetic_pane, view, run, record, links)
    unit = unit_pane(view, run, record, links)
    return replace(unit, responds=responds(view, run, services.studio))
