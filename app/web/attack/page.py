"""Routes of the attack page: choose, run, watch; the whole state is in the URL."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import QueryParams

from app.errors import BadRequest, Cancelled, LayerscopeError, UnknownModel, UnknownPicture
from app.services.attacks.attacks import Attack
from app.services.attacks.traces import Outcome, key_of, store_result
from app.web.attack.contexts import AttackPage, AttackStage
from app.web.attack.form import attack_form
from app.web.attack.stage import done_scene, empty_scene, running_scene
from app.web.attack.view import IMAGE, AttackQuery, AttackView, read
from app.web.core.errors import status_of
from app.web.core.htmx import by_htmx, target
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.templating import render
from app.web.core.uploads import store_upload
from app.web.panels.panel import Panel, PanelsDep
from app.web.parts.contexts import as_dict

router = APIRouter()

SETTINGS, STAGE = "div#settings", "section#stage"
"""Targets of htmx: the form's settings after a choice, or the stage after a run."""


async def attack(
    request: Request, services: ServicesDep, owner: OwnerDep, panels: PanelsDep
) -> Response:
    """The page of a URL. Invalid settings are reported next to the form, the rest is unchanged."""
    parameters = request.query_params
    query = read(parameters, services.settings.model)
    element = target(request)
    if element == SETTINGS:
        return render(
            request, "attack/_settings.html", {"desk": attack_form(query.view, services, owner)}
        )
    try:
        scene = await attack_stage(request, query, services, owner, panels)
    except LayerscopeError as error:
        if element == STAGE:
            return _objection(request, error.detail)
        return await _page(request, query.view, services, owner, error)
    if element == STAGE:
        response = render(request, "attack/_scene.html", {"scene": scene})
        response.headers["HX-Push-Url"] = scene.view.url()
        return response
    return await _page(request, query.view, services, owner, None, scene)


@router.post("/picture")
async def picture(
    request: Request,
    services: ServicesDep,
    owner: OwnerDep,
    file: UploadFile,
    back: Annotated[str, Form()] = "",
) -> Response:
    """Upload a picture; the form keeps its settings and selects the new picture."""
    stored = await store_upload(request, services, file, owner)
    view = read(_plain(back), services.settings.model).view
    url = view.changed(image=stored.id, run=False, step=None).url()
    if not by_htmx(request):
        return RedirectResponse(url, 303)
    return Response(status_code=204, headers={"HX-Redirect": url})


async def attack_stage(
    request: Request,
    query: AttackQuery,
    services: Services,
    owner: str,
    panels: tuple[Panel, ...],
) -> AttackStage:
    """The stage of a view: empty, cached, or about to run. Raises a `LayerscopeError`."""
    view = query.view
    if query.problem:
        raise BadRequest(query.problem)
    if not view.run:
        services.pictures.require(view.image)
        return empty_scene(view, services.catalogue.model(view.model), services, owner)
    prepared = await services.attacks.prepare(view.model, view.image, view.request)
    view = view.spelled(prepared.options)
    key = key_of(prepared, view.image)
    if services.traces.finished(key) is None:
        if "plain" not in request.query_params:
            return running_scene(view, prepared.model, prepared.options, services, owner)
        await _to_its_end(request, prepared, view.image, services, owner)
    trace = services.traces.find(key)
    await store_result(trace, services.pictures, owner, title(view))
    return done_scene(view, prepared.model, trace, services, owner, panels)


def title(view: AttackView) -> str:
    """The title of an attacked picture among a user's uploads."""
    return f"{view.method} on {view.model}"


async def _to_its_end(
    request: Request, prepared: Attack, image: str, services: Services, owner: str
) -> None:
    """Run the attack to its end for a browser without JavaScript. Raises `Busy`, `Cancelled`."""
    steps = services.traces.run(services.attacks, prepared, image, owner)
    with services.pictures.using(image):
        async with aclosing(steps) as items:
            async for item in items:
                if isinstance(item, Outcome):
                    return
                if services.stopping.is_set() or await request.is_disconnected():
                    break
    raise Cancelled("The attack was stopped before its end.")


async def _page(
    request: Request,
    view: AttackView,
    services: Services,
    owner: str,
    error: LayerscopeError | None,
    scene: AttackStage | None = None,
) -> Response:
    """The whole page; an error is shown next to a form that works."""
    shown = view if scene else _known(view, services)
    scene = scene or empty_scene(shown, services.catalogue.model(shown.model), services, owner)
    whole = AttackPage(
        desk=await asyncio.to_thread(
            attack_form, shown, services, owner, error.detail if error else ""
        ),
        scene=scene,
    )
    return render(request, "attack/page.html", as_dict(whole), status_of(error) if error else 200)


def _known(view: AttackView, services: Services) -> AttackView:
    """The view with unavailable values replaced by available ones, so that a form can be drawn."""
    try:
        services.catalogue.model(view.model)
    except UnknownModel:
        view = view.changed(model=services.settings.model)
    try:
        services.pictures.require(view.image)
    except UnknownPicture:
        view = view.changed(image=IMAGE)
    return view.changed(run=False, step=None)


def _objection(request: Request, problem: str) -> Response:
    """One sentence next to the form; everything else on screen stays."""
    response = render(request, "attack/_problem.html", {"problem": problem})
    response.headers["HX-Retarget"] = "#problem"
    response.headers["HX-Reswap"] = "innerHTML"
    return response


def _plain(query: str) -> Mapping[str, str]:
    return QueryParams(query[:4000])
