"""The panels of this package, beside those of `app.web.panels`: each has routes of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from app.services import ablated
from app.services.catalogue import Model
from app.web.links import View
from app.web.panes.contexts import PanelLink
from models.graph import Step


@dataclass(frozen=True, slots=True)
class CutPanel:
    """A panel of a unit, or of a step: then its strongest map is looked at."""

    title: str
    path: str
    applies: Callable[[Model, Step], bool]


def _has_units(model: Model, step: Step) -> bool:
    return step.kind != "flatten" or step.name == model.outline.logits


PANELS = (
    CutPanel("Cover a part", "/cut/cover", _has_units),
    CutPanel("Where covering hurts", "/cut/occlusion", _has_units),
    CutPanel("Switch channels off", "/cut/ablation", ablated.applies),
)


def cut_links(view: View, model: Model, step: Step) -> tuple[PanelLink, ...]:
    """Those that a step has."""
    named = {"model": view.model, "image": view.image, "step": step.name}
    unit = {"channel": view.channel, "y": view.y, "x": view.x}
    query = urlencode({**named, **{k: v for k, v in unit.items() if v is not None}})
    return tuple(
        PanelLink(one.title, f"{one.path}?{query}") for one in PANELS if one.applies(model, step)
    )
