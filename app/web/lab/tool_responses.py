"""Responses of a Lab tool: its page, its results only, or a sentence about invalid input."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from app.web.core.base_path import base
from app.web.core.templating import render
from app.web.lab.tools import is_part, show

FORM = "form#controls"
"""The form's id as htmx sends it."""


def is_form(request: Request) -> bool:
    """Whether the form itself sent the request, not a link."""
    return is_part(request) and request.headers.get("hx-source") == FORM


def swap_of(request: Request) -> str:
    """How htmx updates the form: a typed field keeps its cursor; "" for whole pages."""
    if not is_part(request):
        return ""
    return "innerMorph" if is_form(request) else "innerHTML"


def tool_response(request: Request, tool: str, lab: Any, query: str) -> Response:
    """The page or its results; pushes the URL of what is on screen."""
    response = show(request, tool, lab)
    if is_part(request):
        path = f"{base()}/lab/{tool}"
        response.headers["HX-Replace-Url"] = f"{path}?{query}" if query else path
    return response


def objection(request: Request, problem: str) -> Response:
    """One sentence next to the form; everything else on screen stays."""
    response = render(request, "lab/_problem.html", {"problem": problem})
    response.headers["HX-Retarget"] = "#problem"
    response.headers["HX-Reswap"] = "innerHTML"
    # A boosted link would push its own URL, but the content has not changed.
    response.headers["HX-Replace-Url"] = "false"
    return response
