"""Who asks: htmx, which puts a part into the page, or a browser, which wants it whole."""

from __future__ import annotations

from fastapi import Request


def by_htmx(request: Request) -> bool:
    """Whether htmx sent it; a link or a form does without a script."""
    return "hx-request" in request.headers


def wants_part(request: Request) -> bool:
    """Whether a part is enough: a page that htmx brings back from its history is whole."""
    return by_htmx(request) and not _restored(request)


def target(request: Request) -> str:
    """What htmx will fill with the answer; "" where the page is wanted whole."""
    return "" if _restored(request) else request.headers.get("hx-target", "")


def _restored(request: Request) -> bool:
    return "hx-history-restore-request" in request.headers
