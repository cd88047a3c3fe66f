"""Tells a request of htmx, which needs a part of a page, from a browser's, which needs it whole."""

from __future__ import annotations

from fastapi import Request


def by_htmx(request: Request) -> bool:
    """Whether htmx sent the request; a link or a form without scripts sends a plain one."""
    return "hx-request" in request.headers


def wants_part(request: Request) -> bool:
    """Whether a part is enough: a page that htmx restores from its history must be whole."""
    return by_htmx(request) and not _restored(request)


def target(request: Request) -> str:
    """The id of the element that htmx will fill with the response; "" for a whole page."""
    return "" if _restored(request) else request.headers.get("hx-target", "")


def _restored(request: Request) -> bool:
    return "hx-history-restore-request" in request.headers
