"""How a tool of the Lab answers: its page, its results alone, or one sentence that helps."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from app.web.core.templating import render
from app.web.lab.tools import is_part, show

FORM = "form#controls"
"""What htmx calls the form with a tool's numbers."""


def is_form(request: Request) -> bool:
    """Whether the form itself asks, with what is written in it and not by a link."""
    return is_part(request) and request.headers.get("hx-source") == FORM


def swap_of(request: Request) -> str:
    """How htmx changes the form: one that is typed into keeps its cursor; "" for whole pages."""
    if not is_part(request):
        return ""
    return "innerMorph" if is_form(request) else "innerHTML"


def answer(request: Request, tool: str, lab: Any, query: str) -> Response:
    """The page or its results; the URL then names what is on screen."""
    response = show(request, tool, lab)
    if is_part(request):
        path = f"/lab/{tool}"
        response.headers["HX-Replace-Url"] = f"{path}?{query}" if query else path
    return response


def objection(request: Request, problem: str) -> Response:
    """One sentence beside the form; everything else on screen stays."""
    response = render(request, "lab/_problem.html", {"problem": problem})
    response.headers["HX-Retarget"] = "#problem"
    response.headers["HX-Reswap"] = "innerHTML"
    # A boosted link would push its own address: what is on screen has not changed.
    response.headers["HX-Replace-Url"] = "false"
    return response
