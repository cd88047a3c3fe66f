"""The comparison page: two pictures, networks or channels in one layer, side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import QueryParams

from app.web.compare import files
from app.web.compare.page import compared, paired
from app.web.compare.view import CompareDep, Which, reread
from app.web.core.htmx import target
from app.web.core.state import OwnerDep, ServicesDep
from app.web.core.templating import render
from app.web.core.uploads import store_upload
from app.web.core.work import WorkDep
from app.web.parts.contexts import as_dict

router = APIRouter(include_in_schema=False)
router.include_router(files.router)

TARGET = "main#compare"
"""The id of the page's main part as htmx sends it."""


@router.get("/compare")
async def compare(
    request: Request, side: WorkDep, view: CompareDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """The page, or for htmx its content."""
    async with paired(view, services) as pair:
        whole = await side(compared, pair, services, owner)
    part = target(request) == TARGET
    template = "compare/_compare.html" if part else "compare/page.html"
    return render(request, template, as_dict(whole))


@router.post("/compare/images")
async def upload(
    request: Request,
    services: ServicesDep,
    owner: OwnerDep,
    file: UploadFile,
    which: Annotated[Which, Form()] = "there",
    back: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Upload a picture and put it on one side of the comparison."""
    stored = await store_upload(request, services, file, owner)
    view = reread(QueryParams(back), services)
    return RedirectResponse(view.side(which, image=stored.id), 303)
