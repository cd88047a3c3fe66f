"""Routes of synthesised pictures: the panel, the event stream of a growing picture, the wall."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import NotFound
from app.services.runs.run import Run
from app.services.synthesis.growth import GrowthReport
from app.services.synthesis.picture import SynthesisedPicture
from app.services.synthesis.query import SynthesisOptions, SynthesisQuery, has_goal
from app.services.synthesis.studio import FoundPicture, Studio
from app.web.core.base_path import base
from app.web.core.htmx import by_htmx
from app.web.core.links import View
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.streams import HtmlEvents, JobUpdate, LastEventId, QueuedJob, job_events
from app.web.core.templating import render, render_text
from app.web.panels.panel import UnitPanel, of_units
from app.web.panels.synthesis import pictures
from app.web.panels.synthesis.pictures import SynthesisPanel
from app.web.parts.queued_growth import queued_growth
from app.web.parts.synthesis_urls import (
    LinkedPicture,
    PictureStep,
    PictureUnit,
    SpelledPicture,
    SynthesisView,
    from_link,
    page_url,
    to_link,
)

router = APIRouter()

PULSE = 1.0
"""Seconds after which a step is reported even without a new picture."""


@dataclass(frozen=True, slots=True)
class SynthesisScene:
    """The queried picture, and the run of the photo on screen."""

    synthesis: SynthesisQuery
    run: Run
    studio: Studio

    @property
    def view(self) -> SpelledPicture:
        """What a URL says that names it."""
        synthesis = self.synthesis
        return SpelledPicture(
            model=synthesis.model.id,
            image=self.run.image,
            step=synthesis.step,
            channel=synthesis.channel,
            **SynthesisView.of(synthesis).model_dump(),
        )


async def scene(
    services: Services, unit: PictureUnit, options: SynthesisOptions
) -> AsyncIterator[SynthesisScene]:
    """The validated scene of a query, with its run kept in memory. Raises `LayerscopeError`."""
    model = services.catalogue.model(unit.model)
    synthesis = services.studio.build_query(model, unit.step, unit.channel, options)
    async with services.runs.listen(unit.model, unit.image) as run:
        await run.record(unit.step)
        yield SynthesisScene(synthesis, run, services.studio)


async def spelled_scene(
    services: ServicesDep, view: Annotated[SpelledPicture, Query()]
) -> AsyncIterator[SynthesisScene]:
    """The scene, with options as the form and its links write them."""
    async for one in scene(services, view, view.options):
        yield one


async def linked_scene(
    services: ServicesDep, view: Annotated[LinkedPicture, Query()]
) -> AsyncIterator[SynthesisScene]:
    """The scene, with options as a link to the page writes them."""
    async for one in scene(services, view, from_link(view.made)):
        yield one


SceneDep = Annotated[SynthesisScene, Depends(spelled_scene)]


async def growing(
    scene: SceneDep, services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedJob[GrowthReport]]:
    """A queued synthesis, open until its stream ends; errors are raised before it begins."""
    async with queued_growth(scene.synthesis, services, owner) as job:
        yield job


@router.get("/panels/synthesised")
async def panel(
    request: Request, scene: Annotated[SynthesisScene, Depends(linked_scene)], made: str = ""
) -> Response:
    """The content of the panel; a synthesis starts at once if a link named the picture."""
    begin = bool(made) and scene.synthesis.model.state == "embedded"
    context = await _panel(scene, begin)
    return render(request, "synthesis/_panel.html", {"panel": context})


@router.get("/synthesis/stage")
async def stage(request: Request, scene: SceneDep, begin: bool = True) -> Response:
    """The picture that the form names, or its synthesis; without htmx, the page with it."""
    made = to_link(scene.synthesis)
    if not by_htmx(request):
        synthesis = scene.synthesis
        view = View(
            model=synthesis.model.id,
            image=scene.run.image,
            step=synthesis.step,
            channel=synthesis.channel,
            made=made,
        )
        return RedirectResponse(view.url(), 303)
    context = await _panel(scene, begin, stopped=not begin)
    response = render(request, "synthesis/_stage.html", {"panel": context})
    if begin or context.made:
        response.headers["HX-Replace-Url"] = page_url(
            request.headers.get("hx-current-url", ""), made
        )
    return response


@router.get("/synthesis/wall")
async def wall(
    request: Request, services: ServicesDep, unit: Annotated[PictureStep, Query()]
) -> Response:
    """The pictures of all channels of a step, strongest on this picture first."""
    step = unit.step
    async with services.runs.listen(unit.model, unit.image) as run:
        record = await run.record(step)
        view = View(model=unit.model, image=unit.image, step=step)
        context = pictures.wall(view, run, step, record.statistics.strongest())
    if context is None:
        raise NotFound(f"No synthesised pictures of the whole of {step} are here yet.")
    return render(request, "synthesis/_wall.html", {"wall": context})


@router.get("/synthesis/events", response_class=EventSourceResponse)
async def events(
    scene: SceneDep,
    job: Annotated[QueuedJob[GrowthReport], Depends(growing)],
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """The place in the queue, the picture as it grows, the finished one, `done`.

    An event's id is its step.
    """
    updates = _updates(scene, job.items)
    async for event in job_events(updates, HtmlEvents(), place=job.place, after=last_event_id):
        yield event


async def _updates(
    scene: SynthesisScene, reports: AsyncGenerator[GrowthReport]
) -> AsyncGenerator[JobUpdate[str]]:
    """An update for each new picture, and about one a second between two."""
    loop, told = asyncio.get_running_loop(), 0.0
    async for report in reports:
        if report.fresh or loop.time() - told >= PULSE:
            told = loop.time()
            yield JobUpdate(report.step, await _event_html(scene, report))


async def _event_html(scene: SynthesisScene, report: GrowthReport) -> str:
    """One event's HTML; the last has the finished picture, which replaces the stage."""
    if not report.finished:
        return render_text("synthesis/_growing.html", {"growing": pictures.growing(report)})
    found = await asyncio.to_thread(scene.studio.find, scene.synthesis)
    # A picture that could not be stored on disk is still in memory, unless very many grow.
    found = found or FoundPicture("none", SynthesisedPicture(b"", report.objective, report.curve))
    made = await pictures.made(scene.synthesis, scene.run, found, scene.studio, report.problem)
    return render_text("synthesis/_finished.html", {"made": made})


async def _panel(scene: SynthesisScene, begin: bool, stopped: bool = False) -> SynthesisPanel:
    synthesis = scene.synthesis
    found = await asyncio.to_thread(scene.studio.find, synthesis)
    made = None
    if found:
        made = await pictures.made(synthesis, scene.run, found, scene.studio)
    view = scene.view
    return SynthesisPanel(
        name=synthesis.name,
        form=pictures.form(synthesis, scene.run),
        made=made,
        events="" if made or not begin else f"{base()}/synthesis/events?{view.query()}",
        stop=f"{base()}/synthesis/stage?{view.query({'begin': 'false'}, steps=None)}",
        stopped=stopped,
    )


def _grows(view: View) -> str:
    """The query of the panel's link: the unit, and the picture that the page's URL names."""
    unit = LinkedPicture(
        model=view.model,
        image=view.image,
        step=view.step or "",
        channel=view.channel,
        made=view.made or "",
    )
    return unit.query()


PANEL = UnitPanel(
    "synthesised",
    "What it responds to most",
    of_units(lambda model, step: has_goal(model, step.name)),
    router=router,
    path="/panels/synthesised",
    query=_grows,
    opened=lambda view: bool(view.made),
)
STEP_PANEL = UnitPanel(
    "synthesised-step",
    "What the whole layer responds to most",
    lambda view, model, step: view.channel is None and has_goal(model, step.name),
    path="/panels/synthesised",
    query=_grows,
    opened=lambda view: bool(view.made),
)
