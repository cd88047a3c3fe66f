"""What the intervention panels share: where they apply, and their response."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from app.services.networks.catalogue import Model
from app.web.core.htmx import by_htmx
from app.web.core.links import View
from app.web.core.templating import render
from app.web.parts.unit_query import UnitQuery
from models.graph import Step


def has_units(view: View, model: Model, step: Step) -> bool:
    """Whether a panel applies to a unit, or to a step: then to its strongest map."""
    return step.kind != "flatten" or step.name == model.outline.logits


def panel_response(request: Request, template: str, unit: UnitQuery, panel: Any) -> Response:
    """The partial for htmx; without scripts a page of its own with plain links and forms."""
    context = {"panel": panel, "plain": not by_htmx(request)}
    if by_htmx(request):
        return render(request, template, context)
    view = unit.view
    home = view.url(step=unit.record.step.name, channel=unit.channel)
    page = {**context, "template": template, "home": home, "title": unit.title, "asked": unit}
    return render(request, "pages/interventions.html", page)
