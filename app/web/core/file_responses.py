"""Responses that are files: arrays, pictures, tables; how long they may be cached."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import math
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse
from torch import Tensor

from app.errors import NotFinite, printable
from app.pictures.arrays import npy, npy_pieces
from app.services.runs.sheets import version
from models.row import Weights


class Png(Response):
    """Response class for the API documentation: names the media type."""

    media_type = "image/png"


class Jpeg(Response):
    """See `Png`."""

    media_type = "image/jpeg"


class Npy(Response):
    """See `Png`."""

    media_type = "application/octet-stream"


class Csv(Response):
    """See `Png`."""

    media_type = "text/csv"


Version = Annotated[
    str,
    Query(description="Digest of weights and drawing version; the right one: cached forever."),
]

Download = Annotated[
    str, Query(description="Download the file under this name.", pattern=r"^[A-Za-z0-9_. -]{0,80}$")
]


def png_response(png: bytes, row: Weights, v: str = "", download: str = "") -> Response:
    """A PNG computed with the weights of `row`."""
    return file_response(png, "image/png", v == version(row), download)


async def npy_response(values: Tensor, row: Weights, v: str = "") -> Response:
    """A tensor as .npy, float32."""
    # In a thread: VGG16's first maps are 13 MB, whose copy and digest take a twentieth of a second.
    return await asyncio.to_thread(
        lambda: file_response(npy(values), "application/octet-stream", v == version(row))
    )


def npy_stream(request: Request, values: Tensor, row: Weights, tag: str, v: str = "") -> Response:
    """A large tensor as .npy, sent in pieces while it is listened to; `tag` tells its values."""
    length, pieces = npy_pieces(values)
    headers = {**_cached(v == version(row), tag), "Content-Length": str(length)}
    return StreamingResponse(
        _sent(request, pieces), media_type="application/octet-stream", headers=headers
    )


async def _sent(request: Request, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    # Not in a thread: a piece is copied in a tenth of a millisecond.
    for piece in pieces:
        # Where nobody listens, uvicorn takes all the rest at once, and nothing else has its turn.
        if await request.is_disconnected():
            return
        yield piece


def csv_response(head: Sequence[str], rows: Iterable[Sequence[object]], name: str) -> Response:
    """Rows as CSV, downloaded under `name`. Raises `NotFinite`: no table says `nan`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    for row in rows:
        if not all(math.isfinite(one) for one in row if isinstance(one, float)):
            raise NotFinite("A number that belongs into this table is not finite.")
        writer.writerow(row)
    # The byte order mark tells spreadsheets that this is UTF-8.
    return file_response(
        printable(text.getvalue()).encode("utf-8-sig"), "text/csv; charset=utf-8", False, name
    )


def file_response(data: bytes, media_type: str, forever: bool, download: str = "") -> Response:
    """A file that may be cached forever, or is revalidated by its digest (ETag).

    Private: a picture of a map belongs to the browsers that uploaded the photo, not to a proxy.
    """
    headers = _cached(forever, hashlib.md5(data).hexdigest())
    if download:
        headers["Content-Disposition"] = f'attachment; filename="{download}"'
    return Response(data, media_type=media_type, headers=headers)


def _cached(forever: bool, tag: str) -> dict[str, str]:
    age = "max-age=31536000, immutable" if forever else "no-cache"
    return {"Cache-Control": f"private, {age}", "ETag": f'"{tag}"'}
