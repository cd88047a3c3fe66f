"""Storing an uploaded picture, and deleting it from one browser's list."""

from __future__ import annotations

import asyncio

from fastapi import UploadFile

from app.services.pictures.store import Stored
from app.web.core.state import Services


async def store_upload(services: Services, file: UploadFile, owner: str) -> Stored:
    """Read and store an upload. Raises `PictureError`."""
    # One byte more than the limit is enough to detect a file that is too large.
    data = await file.read(services.pictures.limit + 1)
    name = file.filename or ""
    return await asyncio.to_thread(services.pictures.add, data, owner, name)


async def delete_upload(services: Services, image: str, owner: str) -> None:
    """Delete a picture from one browser's list. Raises `UnknownPicture`, `Forbidden`."""
    if await asyncio.to_thread(services.pictures.delete, image, owner):
        services.forget(image)
