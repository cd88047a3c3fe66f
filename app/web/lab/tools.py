"""The tools of the Lab: their names, their page, and the part that htmx requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from app.web.core import htmx
from app.web.core.templating import render


@dataclass(frozen=True, slots=True)
class Tool:
    """One experiment: its page is `/lab/{id}`, its templates `lab/{id}.html`, `lab/_{id}.html`."""

    id: str
    title: str
    sentence: str


TOOLS = (
    Tool("row", "In a row", "Convolution in one dimension: slide, multiply, add."),
    Tool("grid", "On a grid", "Kernel size, stride, padding, dilation: what fits and comes out."),
    Tool("xo", "X or O", "Draw a letter and follow it through a network you can read whole."),
    Tool(
        "photo", "Your kernel", "Edges, blur, a kernel of your own on a photo, beside learned ones."
    ),
)


def is_part(request: Request) -> bool:
    """Whether htmx requests only the results."""
    return htmx.target(request) == "div#results"


def show(request: Request, id: str, lab: Any) -> Response:
    """The tool's whole page, or for htmx only the results: the template `lab/_{id}.html`.

    `lab` is the tool's context, a dataclass.
    """
    tool = next(one for one in TOOLS if one.id == id)
    template = f"lab/_{id}.html" if is_part(request) else f"lab/{id}.html"
    return render(request, template, {"tool": tool, "tools": TOOLS, "lab": lab})
