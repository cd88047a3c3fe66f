"""Event streams: one way for every job, from its place in the queue to its end.

A page's dependency starts a job with `queued_job`, so that what is refused is refused before the
stream starts; its route passes what the job reports on to `job_events`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Generic, Protocol, TypeVar

from fastapi import Header
from fastapi.sse import ServerSentEvent

from app.errors import Busy, LayerscopeError
from app.web.core.errors import user_error
from app.web.core.templating import render_text

T = TypeVar("T")
Said = TypeVar("Said")
Said_co = TypeVar("Said_co", covariant=True)
Said_contra = TypeVar("Said_contra", contravariant=True)

PATIENCE, PAUSE = 2.0, 0.05
"""Seconds that a job waits for its owner's previous one to end, and between two attempts."""

LastEventId = Annotated[int | None, Header(ge=0, description="Resume after this event.")]
"""What a page that reconnects sends: the number of the last update that it has."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QueuedJob(Generic[T]):
    """A job that waits or runs: its place in the queue, 0 is next, and what it yields."""

    place: int
    items: AsyncGenerator[T]


@dataclass(frozen=True, slots=True)
class JobUpdate(Generic[Said_co]):
    """What one event says. `number` rises; a page that reconnects gets only the later ones.

    A `final` one, the result, is sent unless the page has it: a job that began anew may end
    earlier than before.
    """

    number: int
    said: Said_co
    final: bool = False


class EventFormat(Protocol[Said_contra]):
    """How a stream's events are written: as HTML for pages, as JSON for the API."""

    def queued(self, place: int) -> ServerSentEvent | None:
        """The first event: a job's place in the queue."""

    def update(self, update: JobUpdate[Said_contra]) -> ServerSentEvent:
        """The event of an update; its id is the update's number."""

    def failed(self, error: Exception) -> ServerSentEvent:
        """The event before the last of a stream that failed."""

    def ended(self, failed: bool) -> ServerSentEvent:
        """The last event, named `done`: the page closes the stream."""


@dataclass(frozen=True, slots=True)
class HtmlEvents:
    """Events for pages. The place in the queue stands in the element that `queue` selects.

    Without it, it stands where the updates will.
    """

    queue: str = ""

    def queued(self, place: int) -> ServerSentEvent:
        """See `EventFormat`."""
        context = {"place": place, "queue": self.queue}
        return ServerSentEvent(raw_data=render_text("partials/_queued.html", context))

    def update(self, update: JobUpdate[str]) -> ServerSentEvent:
        """See `EventFormat`."""
        return ServerSentEvent(raw_data=update.said, id=str(update.number))

    def failed(self, error: Exception) -> ServerSentEvent:
        """See `EventFormat`."""
        shown = user_error(error)
        problem = {"title": shown.title, "detail": shown.detail, "queue": self.queue}
        return ServerSentEvent(raw_data=render_text("partials/_event_error.html", problem))

    def ended(self, failed: bool) -> ServerSentEvent:
        """See `EventFormat`."""
        return ServerSentEvent(raw_data="failed" if failed else "", event="done")


@asynccontextmanager
async def queued_job(
    start: Callable[[], AsyncGenerator[int | T]],
) -> AsyncIterator[QueuedJob[T]]:
    """Start a job, and cancel it on leaving.

    Raises `Busy` if the owner's previous job does not end in time: a page that starts again has
    closed its last stream a moment ago.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        running = start()
        try:
            first = await anext(running)
            break
        except Busy:
            if loop.time() >= until:
                raise
            await asyncio.sleep(PAUSE)
    try:
        async with aclosing(_reports(first, running)) as items:
            yield QueuedJob(first if isinstance(first, int) else 0, items)
    finally:
        await running.aclose()


async def _reports(first: int | T, running: AsyncGenerator[int | T]) -> AsyncGenerator[T]:
    """What a job yields after its place in the queue."""
    if not isinstance(first, int):
        yield first
    async for item in running:
        if not isinstance(item, int):
            yield item


async def job_events(
    updates: AsyncGenerator[JobUpdate[Said]],
    write: EventFormat[Said],
    *,
    place: int | None = None,
    after: int | None = None,
) -> AsyncGenerator[ServerSentEvent]:
    """Stream a job: its place in the queue, its updates, an error if it fails, `done`.

    `place` is None for what does not queue; `after` is the last update that the page has already.
    Leaving closes `updates`.
    """
    failed = False
    try:
        if place is not None and after is None and (event := write.queued(place)):
            yield event
        async with aclosing(updates):
            async for update in updates:
                earlier = update.final and update.number != after
                if after is None or earlier or update.number > after:
                    yield write.update(update)
    except Exception as error:
        if not isinstance(error, LayerscopeError):
            _log.exception("A stream broke off.")
        failed = True
        yield write.failed(error)
    yield write.ended(failed)
