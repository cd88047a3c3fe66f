"""Routes that download a network's weights: for the operator alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from app.errors import BadRequest, Forbidden
from app.services.networks.catalogue import Model
from app.services.networks.download_sources import attempts
from app.web.api.models import ModelId
from app.web.core.base_path import base
from app.web.core.htmx import by_htmx
from app.web.core.operator import OperatorDep
from app.web.core.state import Services, ServicesDep
from app.web.core.templating import render
from app.web.explorer.network_menu import download

router = APIRouter(prefix="/networks/{model}", include_in_schema=False)


def known(model: ModelId, services: ServicesDep, operator: OperatorDep) -> Model:
    """The network, for the operator. Raises `Forbidden`, `UnknownModel`."""
    if not operator:
        raise Forbidden(
            "Only the operator of this server can download weights: at the computer that runs it, "
            f"on this page or with python -m app weights get {model[:60]}."
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
        return RedirectResponse(f"{base()}/", 303)
    context = {"download": download(services, model, operator=True)}
    return render(request, "partials/_download.html", context)
