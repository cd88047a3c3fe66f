"""The form of the attack page: networks, pictures, the selected method's settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt

from app.errors import BadRequest, UnknownModel
from app.pictures.samples import all_samples
from app.services.attacks.options import (
    LARGEST,
    MOST_STEPS,
    AttackOptions,
    AttackRequest,
    checked,
    largest_l2,
    warnings,
)
from app.services.networks.catalogue import Model
from app.web.attack.contexts import AttackForm, SettingSlider
from app.web.attack.methods import METHODS
from app.web.attack.view import AttackView
from app.web.core.state import Services
from models.classes import Label

LONG = 8
"""The maximum of the slider of an L2 norm: this change in every value; a link may go up to 32."""


def attack_form(view: AttackView, services: Services, owner: str, problem: str = "") -> AttackForm:
    """The form in its current state. Unknown values in `view` are not drawn."""
    model, words = _model(view, services), METHODS[view.method]
    settings, (error, warned) = services.settings, _messages(view, model)
    recent = tuple(services.pictures.recent(owner))
    listed = {one.id for one in recent} | {one.id for one in all_samples()}
    return AttackForm(
        view=view,
        networks=tuple(_networks(services, model)),
        samples=all_samples(),
        recent=recent,
        stranger=view.image not in listed,
        hours=settings.expire_hours,
        megabytes=settings.upload_mb,
        methods=METHODS,
        method=words,
        sliders=(_epsilon(view, model),) if "epsilon" in words.uses else (),
        more=(_steps(view, model),) if "steps" in words.uses else (),
        step_size="" if view.step_size is None else f"{view.step_size:g}",
        classes=suggestions(model.labels),
        problem=problem or error,
        warnings=warned,
    )


def suggestions(labels: Sequence[Label]) -> tuple[tuple[str, str], ...]:
    """What may be typed for each class; if two share a name, the index with the full text."""
    shared = Counter(one.label for one in labels)
    return tuple(
        (one.label, "") if shared[one.label] == 1 else (str(one.index), one.synset)
        for one in labels
    )


def _model(view: AttackView, services: Services) -> Model:
    """The network, or the first one if its name is unknown: the form has to show one."""
    try:
        return services.catalogue.model(view.model)
    except UnknownModel:
        return services.catalogue.model(services.settings.model)


def _networks(services: Services, shown: Model) -> list[Model]:
    ready = [one for one in services.catalogue.models() if one.state in ("embedded", "ready")]
    return ready if any(one.id == shown.id for one in ready) else [*ready, shown]


def _messages(view: AttackView, model: Model) -> tuple[str, tuple[str, ...]]:
    """The error in the settings, and warnings about them."""
    if not model.labels:
        return "", ()
    try:
        options = checked(view.request, model.labels, model.row.crop)
    except BadRequest as error:
        return error.detail, ()
    return "", tuple(warnings(view.request, options))


def _epsilon(view: AttackView, model: Model) -> SettingSlider:
    words, side = METHODS[view.method], model.row.crop
    value, most = view.epsilon, LARGEST
    if value is None:
        value = float(round(_default(view, model).epsilon))
    if view.method == "pgd_l2":
        short = float(round(LONG * sqrt(3 * side * side)))
        most = min(largest_l2(side), max(short, value))
    value = min(max(value, 0.0), most)
    step = "1" if value.is_integer() else "any"
    return SettingSlider(
        "epsilon", "Epsilon", words.what, f"{value:.10g}", f"{most:.10g}", step=step,
        unit=words.unit,
    )  # fmt: skip


def _steps(view: AttackView, model: Model) -> SettingSlider:
    value = view.steps or _default(view, model).steps
    note = "How often the noise is improved"
    return SettingSlider(
        "steps", "Steps", note, str(min(value, MOST_STEPS)), str(MOST_STEPS), least="1"
    )


def _default(view: AttackView, model: Model) -> AttackOptions:
    return checked(AttackRequest(view.method), model.labels, model.row.crop)
