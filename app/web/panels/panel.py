"""What a panel is: a part that folds open under a unit of the explorer, or under an attack.

Every panel is one object, `PANEL`, in the file that fills it, and one line of
`app/web/panel_registry.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Request

from app.services.networks.catalogue import Model
from app.services.runs.pairs import PicturePair
from app.services.runs.run import Run, StepRecord
from app.web.core.base_path import base
from app.web.core.links import View
from models.graph import Step


def unit_link(view: View) -> str:
    """The query of a panel's link: the unit, and its cell if one is pinned."""
    unit = View(
        model=view.model, image=view.image, step=view.step, channel=view.channel, y=view.y, x=view.x
    )
    return unit.query()


def of_units(applies: Callable[[Model, Step], bool]) -> Callable[[View, Model, Step], bool]:
    """A panel that applies to a unit of certain steps, not to a whole step."""
    return lambda view, model, step: view.channel is not None and applies(model, step)


@dataclass(frozen=True, slots=True, eq=False)
class UnitPanel:
    """A panel under a selected unit, or under a step where the view names no channel.

    Its content is `template` with what `build` returns as `panel`; `build` may compute for long: it
    runs in a thread. A panel that streams, or takes settings, has a `router` instead, which answers
    at `path`. `query` is what its link says; `opened` tells whether a link to the page opens it.
    """

    id: str
    title: str
    applies: Callable[[View, Model, Step], bool]
    template: str = ""
    build: Callable[[View, Run, StepRecord], Any] | None = None
    router: APIRouter | None = None
    path: str = ""
    query: Callable[[View], str] = unit_link
    opened: Callable[[View], bool] = lambda view: False

    def url(self, view: View) -> str:
        """The URL of its content."""
        return f"{base()}{self.path or f'/panels/{self.id}'}?{self.query(view)}"


@dataclass(frozen=True, slots=True, eq=False)
class AttackPanel:
    """A panel under the result of an attack, and the question that it answers.

    It is served at `/attack/{id}` and links carry the query of a `PairView`. Its content is
    `template` with what `build` returns as `panel`, computed in a thread; or it has a `router`.
    """

    id: str
    title: str
    sentence: str
    template: str = ""
    build: Callable[[PicturePair], Any] | None = None
    router: APIRouter | None = None


Panel: TypeAlias = UnitPanel | AttackPanel


@dataclass(frozen=True, slots=True)
class PanelLink:
    """A panel that is folded until it is opened, or until a link opens it; `url` is its content."""

    title: str
    url: str
    open: bool = False


def panels_of(request: Request) -> tuple[Panel, ...]:
    """The panels of this app, in the order of their links."""
    panels: tuple[Panel, ...] = request.app.state.panels
    return panels


PanelsDep = Annotated[tuple[Panel, ...], Depends(panels_of)]
