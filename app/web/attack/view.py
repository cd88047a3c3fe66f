"""The URL of an attack: parsed from a link or a form, and written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args
from urllib.parse import urlencode

from app.services.attacks.options import AttackOptions, AttackRequest, Method
from app.web.attack.methods import METHODS

IMAGE = "cat"
"""The default picture: it is fooled at the default epsilon, where the espresso is not."""
LONGEST = 200
SEEDS = 2**53


@dataclass(frozen=True, slots=True)
class AttackView:
    """An attack as its URL names it; None is the method's default. `step` is the one on screen.

    `run` says that it is to be run at once.
    """

    model: str
    image: str
    method: Method = "pgd"
    epsilon: float | None = None
    steps: int | None = None
    step_size: float | None = None
    target: str = ""
    true_label: str = ""
    seed: int = 0
    run: bool = False
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
        return replace(
            self,
            epsilon=options.epsilon if "epsilon" in uses else None,
            steps=options.steps if "steps" in uses else None,
            run=True,
        )

    def query(self, **changes: Any) -> str:
        """The query string with some parts changed; empty values are left out."""
        view = replace(self, **changes)
        request = view.request
        given: dict[str, Any] = {"model": view.model, "image": view.image, "method": view.method}
        for name in ("epsilon", "steps", "step_size", "target", "true_label"):
            value = getattr(request, name)
            if value is not None:
                given[name] = f"{value:.10g}" if isinstance(value, float) else value
        if view.seed:
            given["seed"] = view.seed
        if view.run:
            given["run"] = 1
            if view.step is not None:
                given["step"] = view.step
        return urlencode(given)

    def url(self, **changes: Any) -> str:
        """The page with some parts changed."""
        return f"/attack?{self.query(**changes)}"

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
        _text(parameters, "model") or model,
        _text(parameters, "image") or IMAGE,
        _method(parameters, problems),
        target=_text(parameters, "target"),
        true_label=_text(parameters, "true_label"),
        seed=_whole(parameters, "seed", SEEDS, problems) or 0,
        run=_text(parameters, "run") not in ("", "0"),
        step=_whole(parameters, "step", SEEDS, problems),
    )
    if parameters.get("drawn", view.drawn) == view.drawn:
        view = replace(
            view,
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
