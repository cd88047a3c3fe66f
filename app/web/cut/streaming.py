"""A long job as a stream of events: the place in the queue, each item, the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from fastapi.sse import ServerSentEvent

from app.web.endings import DONE, broken
from app.web.templating import render_text

T = TypeVar("T")


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
        yield broken(error)
    yield DONE
