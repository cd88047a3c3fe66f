"""How a synthesised picture is written in URLs: of the API, and in a link to the page."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi import Query
from pydantic import BeforeValidator, Field

from app.errors import BadRequest
from app.services.networks.catalogue import Model
from app.services.synthesis.query import MOST_SEED, MOST_STEPS, SynthesisOptions, SynthesisQuery
from app.services.synthesis.shipped import ShippedPictures
from app.web.core.links import API

_PART = re.compile(r"(steps|seed|size|with|share)(\d{1,5})|away")
_NAMES = {"with": "second"}


def synthesis_options(
    steps: Annotated[
        int | None,
        Query(ge=0, le=MOST_STEPS, description="Steps of gradient ascent; by default as shipped."),
    ] = None,
    seed: Annotated[
        int, Query(ge=0, le=MOST_SEED, description="Seed of the noise it starts from.")
    ] = 0,
    size: Annotated[
        int | None, Query(description="Side in pixels: 64, 96, 128, 160 or 224 where possible.")
    ] = None,
    second: Annotated[
        Annotated[int, Field(ge=0)] | None,
        # A form sends a field that was left empty.
        BeforeValidator(lambda given: None if given == "" else given),
        Query(description="A second channel to mix in."),
    ] = None,
    share: Annotated[
        int, Query(ge=0, le=100, description="Weight of the second channel, per cent.")
    ] = 50,
    away: Annotated[
        bool, Query(description="Minimise the response instead of maximising it.")
    ] = False,
) -> SynthesisOptions:
    """The synthesis options of a request, in addition to its unit."""
    return SynthesisOptions(steps, seed, size, second, share if second is not None else 50, away)


def unit_url(model: Model, step: str, channel: int | None) -> str:
    """The URL of a channel, or of a whole step, in the API."""
    part = "" if channel is None else f"/channels/{channel}"
    return f"{API}/models/{quote(model.id)}/steps/{quote(step)}{part}"


def picture_url(query: SynthesisQuery, **more: Any) -> str:
    """The URL of a synthesised picture: cached forever, since it has all the picture depends on."""
    fields = {**query_fields(query), **more, "v": digest(query)}
    return f"{unit_url(query.model, query.step, query.channel)}/synthesised.png?{urlencode(fields)}"


def sheet_url(model: Model, at: str, there: ShippedPictures) -> str:
    """The URL of the sheet of a step's pictures, which browsers may cache forever."""
    return f"{unit_url(model, at, None)}/synthesised.jpg?v={there.tag(at)}"


def digest(query: SynthesisQuery) -> str:
    """The part of a picture's URL that allows caching it forever."""
    return query.key[:12]


def query_fields(query: SynthesisQuery) -> dict[str, Any]:
    """The query fields of a picture: steps, seed and size always, others if not the default.

    A form or a link with these names the same picture, even if other ones ship later.
    """
    recipe, options = query.recipe, query.options
    fields: dict[str, Any] = {"steps": recipe.steps, "seed": recipe.seed, "size": recipe.size}
    if options.second is not None:
        fields |= {"second": options.second, "share": options.share}
    return fields | ({"away": "true"} if options.away else {})


def to_link(query: SynthesisQuery) -> str:
    """A picture's options as one word for a link: `steps128-seed3-size64-with17-share30-away`."""
    fields = query_fields(query)
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
    made = SynthesisOptions(**found)
    if made.second is None and made.share != 50:
        return SynthesisOptions(**(asdict(made) | {"share": 50}))
    return made


def page_url(current: str, made: str) -> str:
    """The URL of the current page with another synthesised picture in it."""
    query = [(k, v) for k, v in parse_qsl(urlsplit(current).query) if k != "made"]
    return f"/?{urlencode([*query, ('made', made)])}"
