"""Helpers for server-sent events: start a queued job, stream its events, end with an error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from fastapi.sse import ServerSentEvent

from app.errors import Busy, LayerscopeError
from app.web.core.errors import user_error
from app.web.core.templating import render_text

T = TypeVar("T")

PATIENCE, PAUSE = 2.0, 0.05
"""Seconds that a job waits for its owner's previous one to end, and between two attempts."""

Items = TypeVar("Items", bound=AsyncIterator[Any])

DONE = ServerSentEvent(raw_data="", event="done")
"""The last event: the page closes the stream."""

_log = logging.getLogger(__name__)


async def event_stream(
    place: int, items: AsyncIterator[int | T], write: Callable[[T], tuple[str, str]]
) -> AsyncIterator[ServerSentEvent]:
    """Stream a job: its place in the queue, an event for each item, an error if it fails, `DONE`.

    `write` turns an item into HTML and an event id.
    """
    try:
        yield ServerSentEvent(
            raw_data=render_text("partials/interventions/_queued.html", {"place": place})
        )
        async for item in items:
            if not isinstance(item, int):
                text, id = write(item)
                yield ServerSentEvent(raw_data=text, id=id)
    except Exception as error:
        yield error_event(error)
    yield DONE


async def start_job(start: Callable[[], Items]) -> tuple[int, Items]:
    """Start a job: its place in the queue (0 is next) and its items.

    Raises `Busy` if the owner's previous job does not end in time: a page that starts again has
    closed its last stream a moment ago.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        items = start()
        try:
            place = await anext(items)
        except Busy:
            if loop.time() >= until:
                raise
            await asyncio.sleep(PAUSE)
        else:
            return place if isinstance(place, int) else 0, items


def error_event(error: Exception) -> ServerSentEvent:
    """The event before the last of a stream that failed; an unexpected error is logged."""
    if not isinstance(error, LayerscopeError):
        _log.error("A stream broke off.", exc_info=error)
    shown = user_error(error)
    problem = {"title": shown.title, "detail": shown.detail}
    return ServerSentEvent(raw_data=render_text("partials/_event_error.html", problem))
