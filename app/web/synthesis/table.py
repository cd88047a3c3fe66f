"""The panels of this package, beside those of `app.web.panels`: each has routes of its own."""

from __future__ import annotations

from urllib.parse import urlencode

from app.services.catalogue import Model
from app.services.synthesis.asked import has_goal
from app.web.links import View
from app.web.panes.contexts import PanelLink
from app.web.synthesis.build import has_wall
from models.graph import Step


def synthesis_links(view: View, model: Model, step: Step) -> tuple[PanelLink, ...]:
    """Those of a unit, or of a step where no channel is named; none where nothing can be raised."""
    if not has_goal(model, step.name):
        return ()
    named = {"model": view.model, "image": view.image, "step": step.name}
    whole = view.channel is None
    unit = named if whole else named | {"channel": str(view.channel)}
    made = {"made": view.made} if view.made else {}
    title = "What the whole layer responds to most" if whole else "What it responds to most"
    url = f"/panels/synthesised?{urlencode(unit | made)}"
    return (PanelLink(title, url, open=bool(made)),)


def wall_link(view: View, model: Model, step: Step) -> PanelLink | None:
    """The pictures of all channels of a step; None where none ship."""
    if not has_goal(model, step.name) or not has_wall(model, step.name):
        return None
    named = {"model": view.model, "image": view.image, "step": step.name}
    what = "map" if model.geometry[step.name].spatial else "class"
    return PanelLink(f"What each {what} responds to most", f"/synthesis/wall?{urlencode(named)}")
