"""How a synthesised picture is written in URLs: of the API, and in a link to the page."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from fastapi import Query
from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from app.errors import BadRequest
from app.services.networks.catalogue import Model
from app.services.synthesis.query import MOST_SEED, MOST_STEPS, SynthesisOptions, SynthesisQuery
from app.services.synthesis.shipped import ShippedPictures
from app.web.core.base_path import base
from app.web.core.links import API
from app.web.core.url_view import Index, Name, UrlView, Written, with_parameter

_PART = re.compile(r"(steps|seed|size|with|share)(\d{1,5})|away")
_NAMES = {"with": "second"}


class SynthesisView(UrlView):
    """A synthesised picture as URLs name it, in addition to its unit.

    Steps, seed and size are always there, so that a link names the same picture even if other ones
    ship later.
    """

    always: ClassVar[frozenset[str]] = frozenset({"seed", "share"})

    steps: Annotated[
        int | None,
        Field(ge=0, le=MOST_STEPS, description="Steps of gradient ascent; by default as shipped."),
    ] = None
    seed: Annotated[
        int, Field(ge=0, le=MOST_SEED, description="Seed of the noise it starts from.")
    ] = 0
    size: Annotated[
        int | None, Field(description="Side in pixels: 64, 96, 128, 160 or 224 where possible.")
    ] = None
    second: Annotated[
        Index | None,
        # A form sends a field that was left empty.
        BeforeValidator(lambda given: None if given == "" else given),
        Field(description="A second channel to mix in."),
    ] = None
    share: Annotated[
        int, Field(ge=0, le=100, description="Weight of the second channel, per cent.")
    ] = 50
    away: Annotated[
        bool,
        Written(lambda on: "true" if on else "false"),
        Field(description="Minimise the response instead of maximising it."),
    ] = False

    @field_validator("share")
    @classmethod
    def _of_the_second(cls, share: int, others: ValidationInfo) -> int:
        return share if others.data.get("second") is not None else 50

    @property
    def parameters(self) -> dict[str, Any]:
        """What its URL says: a share only with a second channel."""
        said = super().parameters
        return {k: v for k, v in said.items() if k != "share" or self.second is not None}

    @classmethod
    def of(cls, query: SynthesisQuery) -> SynthesisView:
        """The view of a picture, with its defaults written out."""
        recipe, options = query.recipe, query.options
        made = {"steps": recipe.steps, "seed": recipe.seed, "size": recipe.size}
        return SynthesisView(**made, second=options.second, share=options.share, away=options.away)

    @property
    def options(self) -> SynthesisOptions:
        """The options for the service."""
        return SynthesisOptions(
            self.steps, self.seed, self.size, self.second, self.share, self.away
        )


class PictureStep(UrlView):
    """The step that pictures are for, and the run of the photo on screen."""

    model: Name
    image: Name
    step: Name


class PictureUnit(PictureStep):
    """A channel of it, or the whole step."""

    channel: Index | None = None


class SpelledPicture(SynthesisView, PictureUnit):
    """A picture of a unit as the form and its links name it."""


class LinkedPicture(PictureUnit):
    """A picture of a unit as a link to the page names it (see `to_link`)."""

    made: Name = ""


def synthesis_options(view: Annotated[SynthesisView, Query()]) -> SynthesisOptions:
    """The synthesis options of a request, in addition to its unit."""
    return view.options


def unit_url(model: Model, step: str, channel: int | None) -> str:
    """The URL of a channel, or of a whole step, in the API."""
    part = "" if channel is None else f"/channels/{channel}"
    return f"{base()}{API}/models/{quote(model.id)}/steps/{quote(step)}{part}"


def picture_url(query: SynthesisQuery, **more: Any) -> str:
    """The URL of a synthesised picture: cached forever, since it has all the picture depends on."""
    said = SynthesisView.of(query).query({**more, "v": digest(query)})
    return f"{unit_url(query.model, query.step, query.channel)}/synthesised.png?{said}"


def sheet_url(model: Model, at: str, there: ShippedPictures) -> str:
    """The URL of the sheet of a step's pictures, which browsers may cache forever."""
    return f"{unit_url(model, at, None)}/synthesised.jpg?v={there.tag(at)}"


def digest(query: SynthesisQuery) -> str:
    """The part of a picture's URL that allows caching it forever."""
    return query.key[:12]


def to_link(query: SynthesisQuery) -> str:
    """A picture's options as one word for a link: `steps128-seed3-size64-with17-share30-away`."""
    fields = SynthesisView.of(query).parameters
    names = {value: key for key, value in _NAMES.items()}
    away = ["away"] if fields.pop("away", "") else []
    return "-".join([f"{names.get(name, name)}{value}" for name, value in fields.items()] + away)


def from_link(text: str) -> SynthesisOptions:
    """Parse what `to_link` wrote. Raises `BadRequest` for anything else."""
    found: dict[str, Any] = {}
    for part in text.split("-") if text else []:
        match = _PART.fullmatch(part)
        if match is None:
            raise BadRequest(f"“{text[:60]}” names no synthesised picture.")
        name = match[1]
        found |= {_NAMES.get(name, name): int(match[2])} if name else {"away": True}
    if "second" not in found:
        found.pop("share", None)
    return SynthesisOptions(**found)


def page_url(current: str, made: str) -> str:
    """The URL of the current page with another synthesised picture in it."""
    return f"{base()}/?{with_parameter(current, 'made', made)}"
