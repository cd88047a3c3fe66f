"""Who asks: htmx, which puts a part into the page, or a browser, which wants it whole."""

from __future__ import annotations

from fastapi import Request


def by_htmx(request: Request) -> bool:
    """Whether htmx sent it; a link or a form does without a script."""
    return "hx-request" in request.headers


def wants_part(request: Request) -> bool:
    """Whether a part is enough: a page that htmx brings back from its history is whole."""
    return by_htmx(request) and "hx-history-restore-request" not in request.headers
