"""Large files are sent piece by piece, and to nobody who has left."""

from __future__ import annotations

import asyncio
import io

import numpy as np
import torch
from starlette.requests import Request
from starlette.types import Message

from app.pictures.arrays import PIECE
from app.web.core.file_responses import npy_stream
from models.weights import TABLE

VALUES = torch.arange(3 * PIECE, dtype=torch.float32)
"""Twelve pieces, and a head."""
ALL = 13


async def sent(leaves_after: int) -> list[bytes]:
    """The bodies that were sent to a client who leaves after so many of them."""
    bodies: list[bytes] = []
    messages: asyncio.Queue[Message] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    async def send(message: Message) -> None:
        if body := message.get("body"):
            bodies.append(body)
            if len(bodies) == leaves_after:
                messages.put_nowait({"type": "http.disconnect"})

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "method": "GET", "headers": []}
    response = npy_stream(Request(scope, messages.get), VALUES, TABLE[0], "tag")
    await response(scope, messages.get, send)
    return bodies


async def test_it_arrives_in_pieces_and_whole() -> None:
    bodies = await sent(leaves_after=99)
    assert len(bodies) == ALL
    assert np.array_equal(np.load(io.BytesIO(b"".join(bodies))), VALUES.numpy())


async def test_nothing_is_sent_to_a_client_that_has_left() -> None:
    assert len(await sent(leaves_after=3)) == 3
