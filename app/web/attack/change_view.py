"""The URL of “Without any attack”: a photo, and how it is rotated, zoomed and relit."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BeforeValidator

from app.errors import BadRequest
from app.pictures.photo_changes import PhotoChange
from app.services.attacks.robustness_curves import SLIDERS
from app.web.attack.slider_responses import strength
from app.web.core.base_path import base
from app.web.core.url_view import Name, Switch, UrlView, Written

Edge = Literal["mirror", "black"]
EDGES = get_args(Edge)
PLAIN = PhotoChange()


def _slid(id: str) -> BeforeValidator:
    """The range of a slider."""
    slider = next(one for one in SLIDERS if one.id == id)
    return BeforeValidator(lambda given: strength(given, id, slider.least, slider.most))


def _edge(given: object) -> object:
    """What lies beyond the photo's edge. Raises `BadRequest`."""
    if given not in EDGES:
        raise BadRequest(f"edge is {' or '.join(EDGES)}, not “{str(given)[:40]}”.")
    return given


SHORT = Written(lambda value: f"{value:g}")


class ChangeView(UrlView):
    """The view of the panel's URL: a network, a picture, and the transformation of it."""

    page: ClassVar[str] = "/attack/change"

    model: Name
    image: Name
    turn: Annotated[float, _slid("turn"), SHORT] = PLAIN.turn
    zoom: Annotated[float, _slid("zoom"), SHORT] = PLAIN.zoom
    brightness: Annotated[float, _slid("brightness"), SHORT] = PLAIN.brightness
    contrast: Annotated[float, _slid("contrast"), SHORT] = PLAIN.contrast
    colour: Annotated[float, _slid("colour"), SHORT] = PLAIN.colour
    flip: Annotated[Switch, BeforeValidator(lambda given: given not in ("", "0", False))] = False
    edge: Annotated[Edge, BeforeValidator(_edge)] = "mirror"

    @property
    def change(self) -> PhotoChange:
        """The transformation."""
        values = {one.id: getattr(self, one.id) for one in SLIDERS}
        return PhotoChange(**values, flip=self.flip, mirrored=self.edge == "mirror")

    def part(self, part: str) -> str:
        """The URL of a part of the panel: what comes after its path."""
        return f"{base()}{self.page}{part}?{self.query()}"

    @property
    def unchanged(self) -> ChangeView:
        """The original photo."""
        return ChangeView(model=self.model, image=self.image)
