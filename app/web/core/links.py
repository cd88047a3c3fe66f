"""The view that a URL describes, and the URLs of everything that can be shown."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal
from urllib.parse import quote, urlencode

from app.services.networks.catalogue import Model
from app.services.runs.sheets import DRAWING, Scale, version
from app.vision.kernel_preferences import Order

API = "/api/v1"

Zoom = Literal["arithmetic", "chain"]


@dataclass(frozen=True, slots=True)
class View:
    """What is on screen, all of it in the URL; row `y` and column `x` name a pinned cell.

    `zoom` goes deeper into that cell: its arithmetic, where `source` is the selected input map, or
    the chain of cells that made it, where `path` says which of them to follow. `kept` is a unit
    that stays next to the selected one (see `app.web.explorer.kept_unit`); `wall` is the order of a
    first layer's kernels, next to which `both` shows the untrained ones. `made` is the synthesised
    picture on screen (see `app.web.parts.synthesis_urls`).
    """

    model: str
    image: str
    step: str | None = None
    channel: int | None = None
    y: int | None = None
    x: int | None = None
    scale: Scale = "unit"
    zoom: Zoom | None = None
    source: int | None = None
    path: str | None = None
    kept: str | None = None
    wall: Order | None = None
    both: Literal["on"] | None = None
    made: str | None = None

    def url(self, **changes: Any) -> str:
        """The page of this view with some parts changed."""
        return f"/?{self.query(**changes)}"

    def at(self, **changes: Any) -> str:
        """The page with another step, channel or cell; the zoom is reset."""
        return self.url(**{**dict.fromkeys(("zoom", "source", "path", "made")), **changes})

    def pinned(self, cell: tuple[int, int]) -> View:
        """This view with a cell pinned."""
        return replace(self, y=cell[0], x=cell[1])

    def query(self, **changes: Any) -> str:
        """The query string of this view with some parts changed; defaults are left out."""
        view = replace(self, **changes)
        given = {f.name: getattr(view, f.name) for f in fields(view)}
        return urlencode({k: v for k, v in given.items() if v is not None and (k, v) != _PLAIN})

    @property
    def compare(self) -> str:
        """The page that compares what is on screen with something else."""
        given = {"model": self.model, "image": self.image, "step": self.step}
        if self.channel is not None:
            given["channel"] = str(self.channel)
        return f"/compare?{urlencode({k: v for k, v in given.items() if v is not None})}"

    @property
    def run(self) -> str:
        """The run of this view, in the API."""
        return f"{API}/runs/{quote(self.model)}/{quote(self.image)}"

    @property
    def events(self) -> str:
        """The event stream that draws this view's river."""
        scale = "" if self.scale == "unit" else f"?scale={self.scale}"
        return f"/runs/{quote(self.model)}/{quote(self.image)}/events{scale}"


_PLAIN = ("scale", "unit")


def name_of(view: View) -> str:
    """The selected unit as `kept` names it: step, channel, and the cell if one is pinned."""
    cell = "" if view.y is None or view.x is None else f":{view.y}:{view.x}"
    return f"{view.step}:{view.channel}{cell}"


def sheet_url(view: View, model: Model, step: str, **query: Any) -> str:
    """The URL of a sheet that browsers may cache forever: it names weights and drawing version."""
    given = {"scale": view.scale, **query, "v": version(model.row)}
    return f"{view.run}/steps/{quote(step)}.png?{urlencode(given, safe=',')}"


def filters_url(model: Model, step: str) -> str:
    """The URL of the kernels of a conv step as a sheet."""
    return f"{API}/models/{model.id}/steps/{quote(step)}/filters.png?v={version(model.row)}"


def input_url(view: View, model: Model) -> str:
    """The URL of the network's input as a picture, pixel for pixel."""
    return f"{view.run}/input.png?v={version(model.row)}"


def preview_url(image: str, side: int) -> str:
    """The URL of a small copy of a picture; an id is a digest, so it may be cached forever."""
    return f"{API}/images/{quote(image)}/preview.jpg?side={side}&v={DRAWING}"


def palette_url(name: str) -> str:
    """The URL of a legend's colours."""
    return f"{API}/palettes/{name}.png?v={DRAWING}"
