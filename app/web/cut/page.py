"""A panel's answer: the partial for htmx, a page of its own for anyone else."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from app.web.cut.asked import Asked
from app.web.htmx import by_htmx
from app.web.templating import render


def answer(request: Request, template: str, asked: Asked, panel: Any) -> Response:
    """Works without scripts: then the panel is a page with plain links and forms."""
    context = {"panel": panel, "plain": not by_htmx(request)}
    if by_htmx(request):
        return render(request, template, context)
    view = asked.view
    home = view.url(step=asked.record.step.name, channel=asked.channel)
    page = {**context, "template": template, "home": home, "title": asked.title, "asked": asked}
    return render(request, "pages/cut.html", page)
