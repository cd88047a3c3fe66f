"""API routes of pictures: built-in samples and uploads."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, UploadFile
from fastapi.responses import Response

from app.pictures.samples import all_samples
from app.services.runs.sheets import DRAWING
from app.web.api.schemas import ERRORS, ImageInfo, SampleInfo, problem
from app.web.core.file_responses import Jpeg, Png, Version, file_response
from app.web.core.state import OwnerDep, ServicesDep
from app.web.core.uploads import delete_upload, store_upload

router = APIRouter(tags=["pictures"])

ImageId = Annotated[str, Path(description="Id of a sample or an upload.", examples=["coffee"])]


@router.get("/samples", summary="Built-in pictures")
async def samples() -> list[SampleInfo]:
    """Their ids are image ids."""
    return [
        SampleInfo(id=one.id, title=one.title, credit=one.credit, licence=one.licence)
        for one in all_samples()
    ]


@router.post(
    "/images",
    status_code=201,
    summary="Upload a picture",
    responses={
        413: problem("Too many bytes or pixels."),
        415: problem("Not a supported picture format."),
        422: problem("Damaged, or no file."),
    },
)
async def upload(
    request: Request, file: UploadFile, services: ServicesDep, owner: OwnerDep
) -> ImageInfo:
    """A PNG, JPEG, WebP, GIF, AVIF or HEIC in the field `file`; the same picture, the same id."""
    stored = await store_upload(request, services, file, owner)
    return ImageInfo(
        id=stored.id,
        width=stored.width,
        height=stored.height,
        notes=list(stored.notes),
        expires=stored.expires,
    )


@router.get(
    "/images/{image}.png",
    response_class=Png,
    summary="A picture",
    responses={404: ERRORS[404], 422: ERRORS[422]},
)
async def image_png(image: ImageId, services: ServicesDep) -> Response:
    """The decoded picture, upright, without metadata."""
    return file_response(await asyncio.to_thread(services.pictures.png, image), "image/png", False)


@router.get(
    "/images/{image}/preview.jpg",
    response_class=Jpeg,
    summary="A small copy",
    responses={404: ERRORS[404], 422: ERRORS[422]},
)
async def preview(
    image: ImageId,
    services: ServicesDep,
    side: Annotated[int, Query(ge=16, le=1024, description="Longer side, pixels.")] = 256,
    v: Version = "",
) -> Response:
    """Lossy and never enlarged: for display, not for computing."""
    data = await asyncio.to_thread(services.pictures.preview, image, side)
    return file_response(data, "image/jpeg", v == str(DRAWING))


@router.delete(
    "/images/{image}.png",
    status_code=204,
    summary="Delete an uploaded picture",
    responses={403: problem("Not uploaded by this browser."), 404: ERRORS[404], 422: ERRORS[422]},
)
async def delete(image: ImageId, services: ServicesDep, owner: OwnerDep) -> None:
    """The file is deleted when the last browser that uploaded it has deleted it."""
    await delete_upload(services, image, owner)
