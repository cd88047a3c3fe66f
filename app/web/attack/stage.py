"""The stage of the attack page: empty, while an attack runs, and with all its steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.pictures.samples import sample
from app.services.attacks.options import AttackOptions
from app.services.attacks.traces import Trace
from app.services.networks.catalogue import Model
from app.web.attack.contexts import AttackStage
from app.web.attack.steps import amplified, attack_frames, legend, planned, times
from app.web.attack.summary import ending
from app.web.attack.view import AttackView
from app.web.core.base_path import base
from app.web.core.links import View, preview_url
from app.web.core.state import Services
from app.web.panels.panel import Panel
from app.web.parts.photo import link_expires

PREVIEW = 512

TRIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("A cat becomes a school bus", "Toward a class of your choice, by name.",
     {"image": "cat", "target": "school bus"}),
    ("How little is enough?", "DeepFool steps just over the nearest border.",
     {"image": "cat", "method": "deepfool"}),
    ("Five pixels", "Only five, but those by any amount.",
     {"image": "cat", "method": "few_pixel"}),
    ("The espresso holds", "The network is sure of this picture: it takes more.",
     {"image": "coffee"}),
)  # fmt: skip
"""Suggestions of an empty stage: title, sentence, and the changes to the URL."""


def empty_scene(view: AttackView, model: Model, services: Services, owner: str) -> AttackStage:
    """The stage before any attack."""
    return AttackStage(
        view,
        "empty",
        title_of(view.image, services, owner),
        model.row.title,
        preview_url(view.image, PREVIEW),
        model.row.crop,
        link_expires(View(model=view.model, image=view.image), services),
        sample(view.image) is None,
        tuple((name, words, _try(view, changes)) for name, words, changes in TRIES),
    )


def running_scene(
    view: AttackView, model: Model, options: AttackOptions, services: Services, owner: str
) -> AttackStage:
    """The stage that waits for the event stream."""
    plain = empty_scene(view, model, services, owner)
    factor = amplified(options)
    return replace(
        plain, state="running", tries=(),
        events=f"{base()}/attack/events?{view.query(step=None)}",
        planned=planned(options), amplified=times(factor), legend=legend(factor),
    )  # fmt: skip


def done_scene(
    view: AttackView,
    model: Model,
    trace: Trace,
    services: Services,
    owner: str,
    panels: tuple[Panel, ...],
) -> AttackStage:
    """The stage of a finished trace."""
    plain = running_scene(view, model, trace.options, services, owner)
    all = attack_frames(view, trace, 0)
    wanted = len(all) - 1 if view.step is None else min(view.step, len(all) - 1)
    return replace(
        plain, state="done", events="", planned=len(all) - 1,
        shots=all, shown=all[wanted], ending=ending(view, model, trace, panels),
    )  # fmt: skip


def title_of(image: str, services: Services, owner: str) -> str:
    """The title of a picture."""
    if built_in := sample(image):
        return built_in.title
    return services.pictures.find(image, owner).name or "A picture"


def _try(view: AttackView, changes: dict[str, Any]) -> str:
    return AttackView(model=view.model, image=view.image, run=True).url(**changes)
