"""How every stream of the page ends: an error is told in words, then it closes for good."""

from __future__ import annotations

import logging

from fastapi.sse import ServerSentEvent

from app.errors import LayerscopeError
from app.web.errors import for_people
from app.web.templating import render_text

DONE = ServerSentEvent(raw_data="", event="done")
"""The last event: the page listens no more."""

_log = logging.getLogger(__name__)


def broken(error: Exception) -> ServerSentEvent:
    """The last event but one of a stream that an error broke off; an unforeseen one is logged."""
    if not isinstance(error, LayerscopeError):
        _log.error("A stream broke off.", exc_info=error)
    told = for_people(error)
    problem = {"title": told.title, "detail": told.detail}
    return ServerSentEvent(raw_data=render_text("partials/_event_error.html", problem))
