"""The events of a stream as JSON."""

from __future__ import annotations

from fastapi.sse import ServerSentEvent
from pydantic import BaseModel

from app.web.api.schemas import Problem
from app.web.core.errors import status_of, user_error
from app.web.core.streams import JobUpdate


class JsonEvents:
    """Updates as objects, a failure as an event `error` with a `Problem`, then `done`."""

    def queued(self, place: int) -> None:
        """Nothing: a client waits for the first update."""

    def update(self, update: JobUpdate[BaseModel]) -> ServerSentEvent:
        """See `EventFormat`."""
        return ServerSentEvent(data=update.said, id=str(update.number))

    def failed(self, error: Exception) -> ServerSentEvent:
        """See `EventFormat`."""
        why = user_error(error)
        problem = Problem(status=status_of(why), title=why.title, detail=why.detail)
        return ServerSentEvent(data=problem, event="error")

    def ended(self, failed: bool) -> ServerSentEvent:
        """See `EventFormat`."""
        return ServerSentEvent(data={}, event="done")
