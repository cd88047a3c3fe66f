"""Lab tool: a custom kernel on an uploaded photo, next to filters that a network learned."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import QueryParams
from torch import Tensor

from app.errors import BadRequest, UnknownPicture
from app.pictures.filtered_photo import shrink
from app.pictures.preprocess import input_png
from app.pictures.samples import all_samples
from app.services.runs.sheets import DRAWING, version
from app.web.core.file_responses import csv_response, file_response
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.uploads import store_upload
from app.web.core.work import WorkDep
from app.web.lab.lab_query import LabQuery
from app.web.lab.learned_filters import Bank, bank
from app.web.lab.photo_page import PhotoResults, lab
from app.web.lab.photo_view import PLAIN, SIDE, PhotoView, placed, read, through
from app.web.lab.tool_responses import is_form, objection, swap_of, tool_response
from app.web.lab.tools import is_part

router = APIRouter()

PARTS = ("result", "photo", "learned")


@router.get("/photo")
async def photo(request: Request, services: ServicesDep, owner: OwnerDep) -> Response:
    """The page, or what htmx requests; for invalid input a sentence that explains the limits."""
    filters = await bank(services)
    try:
        given, problem = await bring(request, services, owner, filters), ""
    except (BadRequest, UnknownPicture) as error:
        if is_part(request):
            return objection(request, error.detail)
        plain = LabQuery(QueryParams())
        given = await gather(plain, PLAIN, services, owner, filters)
        problem = error.detail
    page = await asyncio.to_thread(lab, given, problem, swap_of(request))
    return tool_response(request, "photo", page, given.view.query())


async def bring(
    request: Request, services: Services, owner: str, filters: Bank | None
) -> PhotoResults:
    """The results that a request names. Raises `BadRequest`, `UnknownPicture`."""
    asked = LabQuery(request.query_params)
    view = read(asked, request.query_params.get("image") or PLAIN.image)
    # A pixel of the last result may lie outside this one: a form then gets the centre.
    return await gather(asked, view, services, owner, filters, lenient=is_form(request))


async def gather(
    query: LabQuery,
    view: PhotoView,
    services: Services,
    owner: str,
    filters: Bank | None,
    lenient: bool = False,
) -> PhotoResults:
    """The photo and results of a view. Raises `BadRequest`, `UnknownPicture`."""

    def work() -> PhotoResults:
        pixels, size = opened(services, view.image)
        result = through(pixels, view)
        filter = view.filter
        if filters and filter < 0:
            filter = filters.closest(pixels, view.made)
        learned = filters.through(pixels, filter) if filters else None
        try:
            whole = placed(query, view, result.size)
        except BadRequest:
            if not lenient:
                raise
            whole = view
        recent = tuple(services.pictures.recent(owner))
        settings = services.settings
        around = (recent, all_samples(), settings.expire_hours, settings.crops_of_uploads)
        return PhotoResults(whole, pixels, size, result, filters, filter, learned, *around)

    return await asyncio.to_thread(work)


def opened(services: Services, image: str) -> tuple[Tensor, tuple[int, int]]:
    """A photo's pixels, downscaled, and its original size. Raises `UnknownPicture`."""
    with services.pictures.using(image):
        whole = services.pictures.open(image)
    return shrink(whole, SIDE), whole.size


@router.post("/photo")
async def upload(
    request: Request,
    services: ServicesDep,
    owner: OwnerDep,
    file: UploadFile,
    back: Annotated[str, Form()] = "",
) -> Response:
    """Upload a picture and apply the current kernel to it."""
    stored = await store_upload(request, services, file, owner)
    try:
        view = read(LabQuery(QueryParams(back)), stored.id)
    except BadRequest:
        view = PLAIN.changed(image=stored.id)
    return RedirectResponse(view.url(), 303)


@router.get("/photo.png")
async def photo_png(
    request: Request,
    side: WorkDep,
    services: ServicesDep,
    v: str = "",
) -> Response:
    """The kernel's result, the photo as it is read, or a learned filter's response."""
    asked = LabQuery(request.query_params)
    view = read(asked, request.query_params.get("image") or PLAIN.image)
    part = asked.choice("part", PARTS, "The picture")
    filters = await bank(services) if part == "learned" else None
    known = version(filters.model.row) if filters else str(DRAWING)
    data = await side(drawn, services, view, part, filters)
    return file_response(data, "image/png", v == known)


def drawn(services: Services, view: PhotoView, part: str, filters: Bank | None) -> bytes:
    """One of the page's pictures. Raises `BadRequest`, `UnknownPicture`."""
    pixels, _ = opened(services, view.image)
    if part == "photo":
        return input_png(pixels)
    if part == "result":
        return through(pixels, view).png()
    if filters is None:
        raise BadRequest("The network with the learned filters is not on this computer.")
    return filters.through(pixels, max(0, view.filter)).png()


@router.get("/photo.csv")
async def photo_csv(request: Request) -> Response:
    """The kernel: a line for each number, and the pixels it is applied to."""
    made = read(LabQuery(request.query_params), "").made
    lines = (
        (i // made.side, i % made.side, value, made.by, value / made.by)
        for i, value in enumerate(made.numbers)
    )
    head = ["row", "column", "number", "divided by", "weight"]
    return csv_response(head, lines, "layerscope-kernel.csv")
