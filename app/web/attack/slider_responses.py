"""Responses of a panel with sliders: the whole panel, or its results and the page's new URL."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from app.errors import BadRequest
from app.web.core import htmx


def is_part(request: Request, id: str) -> bool:
    """Whether htmx requests only the element of that id."""
    return htmx.target(request).endswith(f"#{id}")


def push_panel_url(request: Request, response: Response, query: str) -> Response:
    """Push the panel's URL if it is on a page of its own; the attack page keeps its URL."""
    path = request.url.path
    if urlsplit(request.headers.get("hx-current-url", "")).path == path:
        response.headers["HX-Replace-Url"] = f"{path}?{query}"
    return response


def strength(given: str | float, name: str, least: float, most: float) -> float:
    """A slider's value. Raises `BadRequest`."""
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise BadRequest(f"{name} goes from {least:g} to {most:g}, not “{str(given)[:40]}”.")
    return value
