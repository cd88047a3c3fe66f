"""How a synthesised picture is written in addresses: of the API, and in a link to the page."""

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


def wanted(
    steps: Annotated[
        int | None,
        Query(ge=0, le=MOST_STEPS, description="Of gradient ascent; by default as it ships."),
    ] = None,
    seed: Annotated[int, Query(ge=0, le=MOST_SEED, description="Of the noise it begins with.")] = 0,
    size: Annotated[
        int | None, Query(description="Pixels of a side: 64, 96, 128, 160 or 224 where possible.")
    ] = None,
    second: Annotated[
        Annotated[int, Field(ge=0)] | None,
        # A form sends a field that was left empty.
        BeforeValidator(lambda given: None if given == "" else given),
        Query(description="A channel to mix in."),
    ] = None,
    share: Annotated[
        int, Query(ge=0, le=100, description="How much the second counts, per cent.")
    ] = 50,
    away: Annotated[bool, Query(description="What it responds to least.")] = False,
) -> SynthesisOptions:
    """What a request asks for beside its unit."""
    return SynthesisOptions(steps, seed, size, second, share if second is not None else 50, away)


def unit_url(model: Model, step: str, channel: int | None) -> str:
    """A channel, or the whole of a step, in the API."""
    part = "" if channel is None else f"/channels/{channel}"
    return f"{API}/models/{quote(model.id)}/steps/{quote(step)}{part}"


def picture_url(asked: SynthesisQuery, **more: Any) -> str:
    """A synthesised picture that browsers may keep forever: its URL has all it depends on."""
    query = {**spelled(asked), **more, "v": digest(asked)}
    return f"{unit_url(asked.model, asked.step, asked.channel)}/synthesised.png?{urlencode(query)}"


def sheet_url(model: Model, at: str, there: ShippedPictures) -> str:
    """The sheet of a step's pictures, which browsers may keep forever."""
    return f"{unit_url(model, at, None)}/synthesised.jpg?v={there.tag(at)}"


def digest(asked: SynthesisQuery) -> str:
    """What a picture's URL carries so that it may be kept forever."""
    return asked.key[:12]


def spelled(asked: SynthesisQuery) -> dict[str, Any]:
    """The query of what is asked for: steps, seed and size always, the rest where it is not usual.

    A form or a link with these asks for the same picture, whatever ships by then.
    """
    recipe, wanted = asked.recipe, asked.options
    query: dict[str, Any] = {"steps": recipe.steps, "seed": recipe.seed, "size": recipe.size}
    if wanted.second is not None:
        query |= {"second": wanted.second, "share": wanted.share}
    return query | ({"away": "true"} if wanted.away else {})


def in_link(asked: SynthesisQuery) -> str:
    """The same as one word for a link to the page: `steps128-seed3-size64-with17-share30-away`."""
    query = spelled(asked)
    names = {value: key for key, value in _NAMES.items()}
    away = ["away"] if query.pop("away", "") else []
    return "-".join([f"{names.get(name, name)}{value}" for name, value in query.items()] + away)


def from_link(text: str) -> SynthesisOptions:
    """What `in_link` wrote. Raises `BadRequest` for anything else."""
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


def page_with(current: str, made: str) -> str:
    """The page that asks, from its own address, with another picture in it."""
    query = [(k, v) for k, v in parse_qsl(urlsplit(current).query) if k != "made"]
    return f"/?{urlencode([*query, ('made', made)])}"
