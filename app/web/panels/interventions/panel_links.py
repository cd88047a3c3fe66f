"""The response of an intervention panel: the partial for htmx, a page of its own otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from app.services.interventions import ablation
from app.services.networks.catalogue import Model
from app.web.core.htmx import by_htmx
from app.web.core.links import View
from app.web.core.templating import render
from app.web.panels.panel_link import PanelLink
from app.web.parts.unit_query import StepUnit, UnitQuery
from models.graph import Step


@dataclass(frozen=True, slots=True)
class InterventionPanel:
    """A panel of a unit, or of a step: then of its strongest map."""

    title: str
    path: str
    applies: Callable[[Model, Step], bool]


def _has_units(model: Model, step: Step) -> bool:
    return step.kind != "flatten" or step.name == model.outline.logits


PANELS = (
    InterventionPanel("Cover a part", "/cut/cover", _has_units),
    InterventionPanel("Where covering hurts", "/cut/occlusion", _has_units),
    InterventionPanel("Switch channels off", "/cut/ablation", ablation.applies),
)


def intervention_links(view: View, model: Model, step: Step) -> tuple[PanelLink, ...]:
    """The links to the intervention panels of a step."""
    unit = StepUnit(
        model=view.model, image=view.image, step=step.name, channel=view.channel, y=view.y, x=view.x
    )
    query = unit.query()
    return tuple(
        PanelLink(one.title, f"{one.path}?{query}") for one in PANELS if one.applies(model, step)
    )


def panel_response(request: Request, template: str, unit: UnitQuery, panel: Any) -> Response:
    """The response; without scripts the panel is a page of its own with plain links and forms."""
    context = {"panel": panel, "plain": not by_htmx(request)}
    if by_htmx(request):
        return render(request, template, context)
    view = unit.view
    home = view.url(step=unit.record.step.name, channel=unit.channel)
    page = {**context, "template": template, "home": home, "title": unit.title, "asked": unit}
    return render(request, "pages/interventions.html", page)
