"""Storing an uploaded picture, and deleting it from one browser's list."""

from __future__ import annotations

import asyncio

from fastapi import Request, UploadFile

from app.services.pictures.store import Stored
from app.web.core.leaving import while_listened
from app.web.core.state import Services


async def store_upload(
    request: Request, services: Services, file: UploadFile, owner: str
) -> Stored:
    """Read, decode and store an upload. Raises `PictureError`, `Cancelled`."""

    async def read() -> bytes:
        # One byte more than the limit is enough to detect a file that is too large.
        data = await file.read(services.pictures.limit + 1)
        services.pictures.check_length(data)
        return data

    picture = await while_listened(request, services.decoders.decode(owner, read))
    return await asyncio.to_thread(services.pictures.store, picture, owner, file.filename or "")


async def delete_upload(services: Services, image: str, owner: str) -> None:
    """Delete a picture from one browser's list. Raises `UnknownPicture`, `Forbidden`."""
    if await asyncio.to_thread(services.pictures.delete, image, owner):
        services.forget(image)
