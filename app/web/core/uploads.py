"""Taking a picture in, and taking it out of one browser's list."""

from __future__ import annotations

import asyncio

from fastapi import UploadFile

from app.services.pictures.store import Stored
from app.web.core.state import Services


async def take_in(services: Services, file: UploadFile, owner: str) -> Stored:
    """Read an upload and keep it. Raises a `PictureError`."""
    # One byte more than allowed is enough to know that it is too much.
    data = await file.read(services.pictures.limit + 1)
    name = file.filename or ""
    return await asyncio.to_thread(services.pictures.add, data, owner, name)


async def remove(services: Services, image: str, owner: str) -> None:
    """Take a picture out of one browser's list. Raises `UnknownPicture`, `Forbidden`."""
    if await asyncio.to_thread(services.pictures.delete, image, owner):
        services.forget(image)
