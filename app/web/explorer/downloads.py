"""Routes that download a network's weights, only if the server serves this machine alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from app.errors import BadRequest, Forbidden
from app.services.networks.catalogue import Model
from app.services.networks.download_sources import attempts
from app.web.api.models import ModelId
from app.web.core.htmx import by_htmx
from app.web.core.state import Services, ServicesDep
from app.web.core.templating import render
from app.web.explorer.network_menu import download

router = APIRouter(prefix="/networks/{model}", include_in_schema=False)


def known(model: ModelId, services: ServicesDep) -> Model:
    """The network, if the page may download. Raises `Forbidden`, `UnknownModel`."""
    if not services.local:
        raise Forbidden(
            "This server is open to other computers: only its operator can download weights, "
            f"with python -m app weights get {model[:60]}."
        )
    known = services.catalogue.model(model)
    if known.state == "random":
        raise BadRequest("Random weights are drawn on this computer: there is nothing to download.")
    return known


Known = Annotated[Model, Depends(known)]


@router.post("/download")
async def start(request: Request, model: Known, services: ServicesDep) -> Response:
    """Start the download; no error if it is finished or already running."""
    if model.entry.path is None:
        services.downloads.start(model.id, attempts(model.row, services.settings.cache))
    return _answer(request, model, services)


@router.get("/download")
async def look(request: Request, model: Known, services: ServicesDep) -> Response:
    """The state of the download."""
    return _answer(request, model, services)


@router.post("/cancel")
async def cancel(request: Request, model: Known, services: ServicesDep) -> Response:
    """Cancel the download; the downloaded part is kept."""
    services.downloads.cancel(model.id)
    return _answer(request, model, services)


def _answer(request: Request, model: Model, services: Services) -> Response:
    if not by_htmx(request):
        return RedirectResponse("/", 303)
    context = {"download": download(services, model)}
    return render(request, "partials/_download.html", context)
