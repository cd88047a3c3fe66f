"""The URL of an attack: parsed from a link or a form, and written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, get_args

from app.services.attacks.options import AttackOptions, AttackRequest, Method
from app.web.attack.methods import METHODS
from app.web.core.url_view import Switch, UrlView, Written

IMAGE = "cat"
"""The default picture: it is fooled at the default epsilon, where the espresso is not."""
LONGEST = 200
SEEDS = 2**53
_SETTINGS = ("epsilon", "steps", "step_size", "target")


Digits = Annotated[float, Written(lambda value: f"{value:.10g}")]


class AttackView(UrlView):
    """An attack as its URL names it; None is the method's default. `step` is the one on screen.

    `run` says that it is to be run at once. A URL has only what the method uses.
    """

    page: ClassVar[str] = "/attack"
    always: ClassVar[frozenset[str]] = frozenset({"method"})

    model: str
    image: str
    method: Method = "pgd"
    epsilon: Digits | None = None
    steps: int | None = None
    step_size: Digits | None = None
    target: str = ""
    true_label: str = ""
    seed: int = 0
    run: Switch = False
    step: int | None = None

    @property
    def request(self) -> AttackRequest:
        """The request to the attack service: only what the method uses."""
        uses = METHODS[self.method].uses
        return AttackRequest(
            self.method,
            self.epsilon if "epsilon" in uses else None,
            self.steps if "steps" in uses else None,
            self.step_size if "step_size" in uses else None,
            (self.target or None) if "target" in uses else None,
            self.true_label or None,
            self.seed,
        )

    def spelled(self, options: AttackOptions) -> AttackView:
        """The same with the defaults written out, so that its URL repeats exactly this run."""
        uses = METHODS[self.method].uses
        return self.changed(
            epsilon=options.epsilon if "epsilon" in uses else None,
            steps=options.steps if "steps" in uses else None,
            run=True,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """What its URL says: no setting that the method does not use, no step before it is run."""
        unused = {*_SETTINGS} - METHODS[self.method].uses
        if not self.run:
            unused.add("step")
        return {name: text for name, text in super().parameters.items() if name not in unused}

    @property
    def drawn(self) -> str:
        """A form's numbers as drawn: those of another method or input size are dropped."""
        return f"{self.method} {self.model}" if self.method == "pgd_l2" else self.method


@dataclass(frozen=True, slots=True)
class AttackQuery:
    """A view, and a sentence about invalid parameters, else empty."""

    view: AttackView
    problem: str = ""


def read(parameters: Mapping[str, str], model: str) -> AttackQuery:
    """Parse a query; `model` is the network if none is named."""
    problems: list[str] = []
    view = AttackView(
        model=_text(parameters, "model") or model,
        image=_text(parameters, "image") or IMAGE,
        method=_method(parameters, problems),
        target=_text(parameters, "target"),
        true_label=_text(parameters, "true_label"),
        seed=_whole(parameters, "seed", SEEDS, problems) or 0,
        run=_text(parameters, "run") not in ("", "0"),
        step=_whole(parameters, "step", SEEDS, problems),
    )
    if parameters.get("drawn", view.drawn) == view.drawn:
        view = view.changed(
            epsilon=_number(parameters, "epsilon", problems),
            steps=_whole(parameters, "steps", SEEDS, problems),
            step_size=_number(parameters, "step_size", problems),
        )
    return AttackQuery(view, problems[0] if problems else "")


def _text(parameters: Mapping[str, str], name: str) -> str:
    return parameters.get(name, "").strip()[:LONGEST]


def _method(parameters: Mapping[str, str], problems: list[str]) -> Method:
    name = _text(parameters, "method") or "pgd"
    for method in get_args(Method):
        if name == method:
            found: Method = method
            return found
    known = ", ".join(get_args(Method))
    problems.append(f"There is no attack called “{name[:60]}”. There are: {known}.")
    return "pgd"


def _number(parameters: Mapping[str, str], name: str, problems: list[str]) -> float | None:
    if not (text := _text(parameters, name)):
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    problems.append(f"{_TITLES[name]} is a number, not “{text[:20]}”.")
    return None


def _whole(parameters: Mapping[str, str], name: str, most: int, problems: list[str]) -> int | None:
    if not (text := _text(parameters, name)):
        return None
    if text.isascii() and text.isdecimal() and len(text) < 17 and int(text) < most:
        return int(text)
    problems.append(f"{_TITLES[name]} is a whole number from 0 on, not “{text[:20]}”.")
    return None


_TITLES = {
    "epsilon": "Epsilon",
    "steps": "The number of steps",
    "step_size": "The size of a step",
    "seed": "The seed",
    "step": "The step on screen",
}
