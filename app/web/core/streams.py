"""How every stream of the page ends: an error is told in words, then it closes for good."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from fastapi.sse import ServerSentEvent

from app.errors import Busy, LayerscopeError
from app.web.core.errors import for_people
from app.web.core.templating import render_text

T = TypeVar("T")


async def event_stream(
    place: int, items: AsyncIterator[int | T], write: Callable[[T], tuple[str, str]]
) -> AsyncIterator[ServerSentEvent]:
    """Events of a job; `write` turns an item into HTML and an id."""
    try:
        yield ServerSentEvent(raw_data=render_text("partials/cut/_queued.html", {"place": place}))
        async for item in items:
            if not isinstance(item, int):
                text, id = write(item)
                yield ServerSentEvent(raw_data=text, id=id)
    except Exception as error:
        yield error_event(error)
    yield DONE


PATIENCE, PAUSE = 2.0, 0.05
"""Seconds that a job waits for one's last to end, and between two looks."""

Items = TypeVar("Items", bound=AsyncIterator[Any])


async def started(start: Callable[[], Items]) -> tuple[int, Items]:
    """The place, 0 goes next, and what comes after it. Raises `Busy` where one's last goes on.

    A page that begins again has left its last stream a moment ago.
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


DONE = ServerSentEvent(raw_data="", event="done")
"""The last event: the page listens no more."""

_log = logging.getLogger(__name__)


def error_event(error: Exception) -> ServerSentEvent:
    """The last event but one of a stream that an error broke off; an unforeseen one is logged."""
    if not isinstance(error, LayerscopeError):
        _log.error("A stream broke off.", exc_info=error)
    told = for_people(error)
    problem = {"title": told.title, "detail": told.detail}
    return ServerSentEvent(raw_data=render_text("partials/_event_error.html", problem))
