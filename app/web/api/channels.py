"""Channels: what one responds to, its synthesised picture, and the same as it grows."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import LayerscopeError, NotFound
from app.services.atlas.class_preferences import ClassPreferences, preferences
from app.services.networks.catalogue import Model
from app.services.synthesis.growth import GrowthReport
from app.services.synthesis.query import SynthesisOptions, SynthesisQuery
from app.services.synthesis.shipped import shipped
from app.web.api.channel_schemas import (
    GROWN,
    ChannelInfo,
    ChannelStatistics,
    ClassPreference,
    CropInfo,
    GrowthInfo,
    SynthesisedInfo,
)
from app.web.api.models import ModelId, StepName
from app.web.api.schemas import ERRORS, Problem, problem
from app.web.core.errors import for_people, status_of
from app.web.core.file_responses import Download, Jpeg, Png, Version, file_response
from app.web.core.links import filters_url
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.streams import started
from app.web.parts.crop_query import best_crops
from app.web.parts.synthesis_urls import digest, picture_url, unit_url, wanted

router = APIRouter(prefix="/models/{model}/steps/{step}", tags=["channels"], responses=ERRORS)

_log = logging.getLogger(__name__)

Channel = Annotated[int, Path(description="Number of a channel, of a class at the end.", ge=0)]
WantedDep = Annotated[SynthesisOptions, Depends(wanted)]

EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events whose data is a `GrowthInfo`, then `done`.",
        "content": {
            "text/event-stream": {
                "example": f"id: 48\ndata: {json.dumps(GROWN)}\n\nevent: done\ndata: {{}}\n\n"
            }
        },
    },
    503: problem("Weights not here, or a long job of yours is running."),
}


@dataclass(frozen=True, slots=True)
class QueuedGrowth:
    """A picture that has its place in the queue."""

    asked: SynthesisQuery
    place: int
    items: AsyncIterator[int | GrowthReport]


def asked_channel(
    model: ModelId, step: StepName, channel: Channel, wanted: WantedDep, services: ServicesDep
) -> SynthesisQuery:
    """A channel's picture. Raises `UnknownModel`, `UnknownStep`, `BadRequest`."""
    return services.studio.build_query(services.catalogue.model(model), step, channel, wanted)


def asked_step(
    model: ModelId, step: StepName, wanted: WantedDep, services: ServicesDep
) -> SynthesisQuery:
    """A whole step's picture. Raises `UnknownModel`, `UnknownStep`, `BadRequest`."""
    return services.studio.build_query(services.catalogue.model(model), step, None, wanted)


async def grow(
    asked: SynthesisQuery, services: Services, owner: str
) -> AsyncIterator[QueuedGrowth]:
    """A picture that begins to grow, until its stream ends: what can fail fails before."""
    network = await services.catalogue.network(asked.model.id)
    place, items = await started(lambda: services.studio.stream(owner, asked, network))
    try:
        yield QueuedGrowth(asked, place, items)
    finally:
        await items.aclose()  # type: ignore[attr-defined]


async def growing_channel(
    asked: Annotated[SynthesisQuery, Depends(asked_channel)], services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedGrowth]:
    """A channel's picture that grows."""
    async for one in grow(asked, services, owner):
        yield one


async def growing_step(
    asked: Annotated[SynthesisQuery, Depends(asked_step)], services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedGrowth]:
    """A whole step's picture that grows."""
    async for one in grow(asked, services, owner):
        yield one


@router.get("/channels/{channel}", summary="What a channel responds to")
async def channel_info(
    asked: Annotated[SynthesisQuery, Depends(asked_channel)], services: ServicesDep
) -> ChannelInfo:
    """A picture made for it, the classes and crops that fire it most, what it can see.

    Crops are of an operator's folder where there is an atlas of one, else of the built-in pictures.

    `steps`, `seed` and so on name another picture than the usual one.
    """
    model, step, channel = asked.model, asked.step, asked.channel or 0
    liked = preferences(model, step, channel)
    return ChannelInfo(
        model=model.id,
        step=step,
        channel=channel,
        label=asked.label or None,
        synthesised=await _synthesised(asked, services),
        statistics=_statistics(liked),
        prefers=_prefers(liked),
        crops=[
            CropInfo(url=url, value=value, label=label)
            for url, value, label in await best_crops(services, model, step, channel)
        ],
        receptive_field=model.geometry[step].receptive_field,
        kernel=_kernel(model, step),
    )


@router.get(
    "/channels/{channel}/synthesised.png",
    response_class=Png,
    summary="The picture made for a channel",
)
async def channel_picture(
    asked: Annotated[SynthesisQuery, Depends(asked_channel)],
    services: ServicesDep,
    v: Version = "",
    download: Download = "",
) -> Response:
    """RGB, `size` pixels a side; its text says how it was made. 404 where it is not made yet."""
    return await _picture(asked, services, v, download)


@router.get("/synthesised.png", response_class=Png, summary="The picture made for a whole step")
async def step_picture(
    asked: Annotated[SynthesisQuery, Depends(asked_step)],
    services: ServicesDep,
    v: Version = "",
    download: Download = "",
) -> Response:
    """As that of a channel; raised is the mean square of everything in the step."""
    return await _picture(asked, services, v, download)


@router.get("/synthesised.jpg", response_class=Jpeg, summary="The pictures of all channels")
async def step_sheet(
    model: ModelId, step: StepName, services: ServicesDep, v: Version = ""
) -> Response:
    """Those that ship or were made here at once, one tile a channel, row by row, ceil(sqrt(C)) in
    a row."""
    known = services.catalogue.model(model)
    there = await asyncio.to_thread(shipped, known, step)
    if there is None:
        raise NotFound(f"There are no synthesised pictures of all of {step[:60]} here.")
    return file_response(there.sheet(step), "image/jpeg", v == there.tag(step))


async def _picture(asked: SynthesisQuery, services: Services, v: str, download: str) -> Response:
    found = await asyncio.to_thread(services.studio.find, asked)
    if found is None:
        url = unit_url(asked.model, asked.step, asked.channel)
        raise NotFound(f"This picture is not made yet. {url}/synthesised/events makes it.")
    return file_response(found.picture.png, "image/png", v == digest(asked), download)


@router.get(
    "/channels/{channel}/synthesised/events",
    response_class=EventSourceResponse,
    responses=EVENTS,
    summary="Make the picture of a channel, step by step",
)
async def channel_events(
    growing: Annotated[QueuedGrowth, Depends(growing_channel)],
) -> AsyncIterator[ServerSentEvent]:
    """An event with each new picture, then `done`; closing the stream stops, and keeps what was
    reached under its number of steps. One long job a person (a cookie) at a time."""
    async for event in growth_events(growing):
        yield event


@router.get(
    "/synthesised/events",
    response_class=EventSourceResponse,
    responses=EVENTS,
    summary="Make the picture of a whole step",
)
async def step_events(
    growing: Annotated[QueuedGrowth, Depends(growing_step)],
) -> AsyncIterator[ServerSentEvent]:
    """As that of a channel."""
    async for event in growth_events(growing):
        yield event


async def growth_events(growing: QueuedGrowth) -> AsyncIterator[ServerSentEvent]:
    """Each new picture as JSON; what goes wrong as an event `error` with a problem."""
    try:
        async for item in growing.items:
            if not isinstance(item, int) and item.fresh:
                yield ServerSentEvent(data=_growth(item), id=str(item.step))
    except Exception as error:
        if not isinstance(error, LayerscopeError):
            _log.exception("A synthesis broke off.")
        why = for_people(error)
        problem = Problem(status=status_of(why), title=why.title, detail=why.detail)
        yield ServerSentEvent(data=problem, event="error")
    yield ServerSentEvent(data={}, event="done")


def _growth(report: GrowthReport) -> GrowthInfo:
    return GrowthInfo(
        step=report.step,
        steps=report.steps,
        picture=picture_url(report.shown),
        picture_step=report.shown.recipe.steps,
        objective=report.objective,
        seconds_left=report.seconds_left,
        problem=report.problem or None,
    )


async def _synthesised(asked: SynthesisQuery, services: Services) -> SynthesisedInfo:
    found = await asyncio.to_thread(services.studio.find, asked)
    recipe = asked.recipe
    return SynthesisedInfo(
        url=picture_url(asked),
        state=found.state if found else "none",
        events=f"{unit_url(asked.model, asked.step, asked.channel)}/synthesised/events",
        steps=recipe.steps,
        seed=recipe.seed,
        size=recipe.size,
        measured_at=asked.at,
        objective=found.picture.objective if found else None,
    )


def _statistics(liked: ClassPreferences | None) -> ChannelStatistics | None:
    if liked is None:
        return None
    return ChannelStatistics(
        measured_at=liked.at,
        mean=liked.mean,
        lowest=liked.lowest,
        highest=liked.highest,
        pictures=liked.pictures,
    )


def _prefers(liked: ClassPreferences | None) -> list[ClassPreference]:
    return [
        ClassPreference.model_validate({"index": one.index, "class": one.label, "value": one.value})
        for one in (liked.classes if liked else ())
    ]


def _kernel(model: Model, step: str) -> str | None:
    one = model.outline.step(step)
    reads_colours = one.kind == "conv" and one.inputs[0] not in model.geometry
    return filters_url(model, step) if reads_colours else None
