"""A long job as a stream of events: the place in the queue, each item, the end."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from fastapi.sse import ServerSentEvent

from app.errors import LayerscopeError
from app.web.errors import for_people
from app.web.templating import render_text

T = TypeVar("T")

_log = logging.getLogger(__name__)


async def told(
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
        if not isinstance(error, LayerscopeError):
            _log.exception("A long job broke off.")
        said = for_people(error)
        problem: dict[str, Any] = {"title": said.title, "detail": said.detail}
        yield ServerSentEvent(raw_data=render_text("partials/_event_error.html", problem))
    yield ServerSentEvent(raw_data="", event="done")
