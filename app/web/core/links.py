"""The view that a URL describes, and the URLs of everything that can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import AfterValidator

from app.services.networks.catalogue import Model
from app.services.runs.sheets import DRAWING, Scale, version
from app.vision.kernel_preferences import Order
from app.web.core.base_path import base
from app.web.core.url_view import Filled, Index, Name, UrlView, encode

API = "/api/v1"

Zoom = Literal["arithmetic", "chain"]


class View(UrlView):
    """What is on screen, all of it in the URL; row `y` and column `x` name a pinned cell.

    `zoom` goes deeper into that cell: its arithmetic, where `source` is the selected input map, or
    the chain of cells that made it, where `path` says which of them to follow. `kept` is a unit
    that stays next to the selected one (see `app.web.explorer.kept_unit`); `wall` is the order of a
    first layer's kernels, next to which `both` shows the untrained ones. `made` is the synthesised
    picture on screen (see `app.web.parts.synthesis_urls`). A request may leave `model` and `image`
    empty: they are then the server's.
    """

    page: ClassVar[str] = "/"
    always: ClassVar[frozenset[str]] = frozenset({"model", "image"})

    model: str = ""
    image: str = ""
    step: Annotated[str | None, Filled] = None
    channel: Index | None = None
    y: Index | None = None
    x: Index | None = None
    scale: Scale = "unit"
    zoom: Zoom | None = None
    source: Index | None = None
    path: Annotated[Name | None, Filled] = None
    kept: Annotated[Name | None, Filled] = None
    wall: Annotated[Order | None, AfterValidator(lambda by: None if by == "number" else by)] = None
    both: Literal["on"] | None = None
    made: Annotated[Name | None, Filled] = None

    def at(self, **changes: Any) -> str:
        """The page with another step, channel or cell; the zoom is reset."""
        return self.url(**{**dict.fromkeys(("zoom", "source", "path", "made")), **changes})

    def pinned(self, cell: tuple[int, int]) -> View:
        """This view with a cell pinned."""
        return self.changed(y=cell[0], x=cell[1])

    @property
    def compare(self) -> str:
        """The page that compares what is on screen with something else."""
        said = ("model", "image", "step", "channel")
        return f"{base()}/compare?{encode((k, v) for k, v in self.parameters.items() if k in said)}"

    @property
    def attack(self) -> str:
        """The page that tries to fool this network with this picture."""
        return f"{base()}/attack?{encode({'model': self.model, 'image': self.image})}"

    @property
    def unusual(self) -> str:
        """The page that says whether this picture is unusual for this network."""
        return f"{base()}/attack/unusual?{encode({'model': self.model, 'image': self.image})}"

    @property
    def run(self) -> str:
        """The run of this view, in the API."""
        return f"{base()}{API}/runs/{quote(self.model)}/{quote(self.image)}"

    @property
    def events(self) -> str:
        """The event stream that draws this view's river."""
        scale = "" if self.scale == "unit" else f"?scale={self.scale}"
        return f"{base()}/runs/{quote(self.model)}/{quote(self.image)}/events{scale}"


def name_of(view: View) -> str:
    """The selected unit as `kept` names it: step, channel, and the cell if one is pinned."""
    cell = "" if view.y is None or view.x is None else f":{view.y}:{view.x}"
    return f"{view.step}:{view.channel}{cell}"


def sheet_url(view: View, model: Model, step: str, **query: Any) -> str:
    """The URL of a sheet that browsers may cache forever: it names weights and drawing version."""
    return step_url(view, step, ".png", {"scale": view.scale, **query, "v": version(model.row)})


def projection_url(view: View, step: str, query: Mapping[str, Any]) -> str:
    """The URL of what in the picture drives a unit of a step."""
    return step_url(view, step, "/projection.png", query)


def step_url(view: View, step: str, part: str, query: Mapping[str, Any]) -> str:
    """The URL of a `part` of what a step computed, in the API."""
    return f"{view.run}/steps/{quote(step)}{part}?{encode(query, safe=',')}"


def filters_url(model: Model, step: str) -> str:
    """The URL of the kernels of a conv step as a sheet."""
    return f"{base()}{API}/models/{model.id}/steps/{quote(step)}/filters.png?v={version(model.row)}"


def input_url(view: View, model: Model) -> str:
    """The URL of the network's input as a picture, pixel for pixel."""
    return f"{view.run}/input.png?v={version(model.row)}"


def preview_url(image: str, side: int) -> str:
    """The URL of a small copy of a picture; an id is a digest, so it may be cached forever."""
    return f"{base()}{API}/images/{quote(image)}/preview.jpg?side={side}&v={DRAWING}"


def palette_url(name: str) -> str:
    """The URL of a legend's colours."""
    return f"{base()}{API}/palettes/{name}.png?v={DRAWING}"
