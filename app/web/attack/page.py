"""The page: choose, run, watch; the whole of it is in the link."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import QueryParams

from app.errors import BadRequest, Cancelled, LayerscopeError, UnknownModel, UnknownPicture
from app.services.attacks.attacks import Attack
from app.services.attacks.traces import Outcome, key_of, store_result
from app.web.attack.contexts import AttackPage, AttackStage
from app.web.attack.form import desk
from app.web.attack.stage import done_scene, empty_scene, running_scene
from app.web.attack.view import IMAGE, AttackQuery, AttackView, read
from app.web.core.errors import status_of
from app.web.core.htmx import by_htmx, target
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.templating import render
from app.web.core.uploads import take_in
from app.web.parts.contexts import as_dict

router = APIRouter()

SETTINGS, STAGE = "div#settings", "section#stage"
"""What htmx asks for: the form's settings after a choice, or the stage after a run."""


async def attack(request: Request, services: ServicesDep, owner: OwnerDep) -> Response:
    """What the link names. What does not fit is said beside the form, and the rest stays."""
    given = request.query_params
    asked = read(given, services.settings.model)
    wanted = target(request)
    if wanted == SETTINGS:
        return render(request, "attack/_settings.html", {"desk": desk(asked.view, services, owner)})
    try:
        scene = await staged(request, asked, services, owner)
    except LayerscopeError as error:
        if wanted == STAGE:
            return _objection(request, error.detail)
        return await _page(request, asked.view, services, owner, error)
    if wanted == STAGE:
        response = render(request, "attack/_scene.html", {"scene": scene})
        response.headers["HX-Push-Url"] = scene.view.url()
        return response
    return await _page(request, asked.view, services, owner, None, scene)


@router.post("/picture")
async def picture(
    request: Request,
    services: ServicesDep,
    owner: OwnerDep,
    file: UploadFile,
    back: Annotated[str, Form()] = "",
) -> Response:
    """Take a picture in; the form then stands as it stood, with this picture in it."""
    stored = await take_in(services, file, owner)
    view = read(_plain(back), services.settings.model).view
    url = replace(view, image=stored.id, run=False, step=None).url()
    if not by_htmx(request):
        return RedirectResponse(url, 303)
    return Response(status_code=204, headers={"HX-Redirect": url})


async def staged(
    request: Request, asked: AttackQuery, services: Services, owner: str
) -> AttackStage:
    """The stage for a view: empty, kept, or about to run. Raises a `LayerscopeError`."""
    view = asked.view
    if asked.problem:
        raise BadRequest(asked.problem)
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
    return done_scene(view, prepared.model, trace, services, owner)


def title(view: AttackView) -> str:
    """What an attacked picture is called among a person's uploads."""
    return f"{view.method} on {view.model}"


async def _to_its_end(
    request: Request, prepared: Attack, image: str, services: Services, owner: str
) -> None:
    """For a browser without JavaScript: it waits for all of it. Raises `Busy`, `Cancelled`."""
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
    """The whole page; with an error its sentence stands beside a form that works."""
    shown = view if scene else _known(view, services)
    scene = scene or empty_scene(shown, services.catalogue.model(shown.model), services, owner)
    whole = AttackPage(
        desk=await asyncio.to_thread(desk, shown, services, owner, error.detail if error else ""),
        scene=scene,
    )
    return render(request, "attack/page.html", as_dict(whole), status_of(error) if error else 200)


def _known(view: AttackView, services: Services) -> AttackView:
    """The view with what is not here replaced by what is, so that a form can be drawn."""
    try:
        services.catalogue.model(view.model)
    except UnknownModel:
        view = replace(view, model=services.settings.model)
    try:
        services.pictures.require(view.image)
    except UnknownPicture:
        view = replace(view, image=IMAGE)
    return replace(view, run=False, step=None)


def _objection(request: Request, problem: str) -> Response:
    """One sentence beside the form; everything else on screen stays."""
    response = render(request, "attack/_problem.html", {"problem": problem})
    response.headers["HX-Retarget"] = "#problem"
    response.headers["HX-Reswap"] = "innerHTML"
    return response


def _plain(query: str) -> Mapping[str, str]:
    return QueryParams(query[:4000])
