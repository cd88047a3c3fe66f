"""API routes of a channel: what it responds to (feature visualisation), and the stream of it."""

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
from app.services.atlas.class_preferences import ClassPreferences, class_preferences
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
from app.web.core.errors import status_of, user_error
from app.web.core.file_responses import Download, Jpeg, Png, Version, file_response
from app.web.core.links import filters_url
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.streams import start_job
from app.web.parts.crop_query import best_crops
from app.web.parts.synthesis_urls import digest, picture_url, synthesis_options, unit_url

router = APIRouter(prefix="/models/{model}/steps/{step}", tags=["channels"], responses=ERRORS)

_log = logging.getLogger(__name__)

Channel = Annotated[
    int, Path(description="Index of a channel; at the last steps, of a class.", ge=0)
]
SynthesisOptionsDep = Annotated[SynthesisOptions, Depends(synthesis_options)]

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
    """A synthesis with its place in the queue."""

    query: SynthesisQuery
    place: int
    items: AsyncIterator[int | GrowthReport]


def channel_query(
    model: ModelId,
    step: StepName,
    channel: Channel,
    options: SynthesisOptionsDep,
    services: ServicesDep,
) -> SynthesisQuery:
    """The picture of a channel. Raises `UnknownModel`, `UnknownStep`, `BadRequest`."""
    return services.studio.build_query(services.catalogue.model(model), step, channel, options)


def step_query(
    model: ModelId, step: StepName, options: SynthesisOptionsDep, services: ServicesDep
) -> SynthesisQuery:
    """The picture of a whole step. Raises `UnknownModel`, `UnknownStep`, `BadRequest`."""
    return services.studio.build_query(services.catalogue.model(model), step, None, options)


async def grow(
    query: SynthesisQuery, services: Services, owner: str
) -> AsyncIterator[QueuedGrowth]:
    """Queue a synthesis and close it when its stream ends; errors are raised before it starts."""
    network = await services.catalogue.network(query.model.id)
    place, items = await start_job(lambda: services.studio.stream(owner, query, network))
    try:
        yield QueuedGrowth(query, place, items)
    finally:
        await items.aclose()  # type: ignore[attr-defined]


async def growing_channel(
    query: Annotated[SynthesisQuery, Depends(channel_query)], services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedGrowth]:
    """The queued synthesis of a channel."""
    async for one in grow(query, services, owner):
        yield one


async def growing_step(
    query: Annotated[SynthesisQuery, Depends(step_query)], services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedGrowth]:
    """The queued synthesis of a whole step."""
    async for one in grow(query, services, owner):
        yield one


@router.get("/channels/{channel}", summary="What a channel responds to")
async def channel_info(
    query: Annotated[SynthesisQuery, Depends(channel_query)], services: ServicesDep
) -> ChannelInfo:
    """The synthesised picture, the classes and crops with the highest response, the field of view.

    Crops are from an operator's folder if there is an atlas of one, else from the built-in
    pictures.

    `steps`, `seed` and so on name another picture than the default one.
    """
    model, step, channel = query.model, query.step, query.channel or 0
    preferred = class_preferences(model, step, channel)
    return ChannelInfo(
        model=model.id,
        step=step,
        channel=channel,
        label=query.label or None,
        synthesised=await _synthesised(query, services),
        statistics=_statistics(preferred),
        prefers=_prefers(preferred),
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
    summary="The synthesised picture of a channel",
)
async def channel_picture(
    query: Annotated[SynthesisQuery, Depends(channel_query)],
    services: ServicesDep,
    v: Version = "",
    download: Download = "",
) -> Response:
    """RGB, `size` pixels a side; its PNG text says how it was made. 404 if not computed yet."""
    return await _picture(query, services, v, download)


@router.get(
    "/synthesised.png", response_class=Png, summary="The synthesised picture of a whole step"
)
async def step_picture(
    query: Annotated[SynthesisQuery, Depends(step_query)],
    services: ServicesDep,
    v: Version = "",
    download: Download = "",
) -> Response:
    """Like that of a channel; maximised is the mean square of all activations of the step."""
    return await _picture(query, services, v, download)


@router.get(
    "/synthesised.jpg", response_class=Jpeg, summary="The synthesised pictures of all channels"
)
async def step_sheet(
    model: ModelId, step: StepName, services: ServicesDep, v: Version = ""
) -> Response:
    """Those that ship or were all computed here, one tile a channel, in rows of ceil(sqrt(C))."""
    known = services.catalogue.model(model)
    there = await asyncio.to_thread(shipped, known, step)
    if there is None:
        raise NotFound(f"There are no synthesised pictures of all of {step[:60]} here.")
    return file_response(there.sheet(step), "image/jpeg", v == there.tag(step))


async def _picture(query: SynthesisQuery, services: Services, v: str, download: str) -> Response:
    found = await asyncio.to_thread(services.studio.find, query)
    if found is None:
        url = unit_url(query.model, query.step, query.channel)
        raise NotFound(f"This picture is not made yet. {url}/synthesised/events makes it.")
    return file_response(found.picture.png, "image/png", v == digest(query), download)


@router.get(
    "/channels/{channel}/synthesised/events",
    response_class=EventSourceResponse,
    responses=EVENTS,
    summary="Synthesise the picture of a channel, step by step",
)
async def channel_events(
    growing: Annotated[QueuedGrowth, Depends(growing_channel)],
) -> AsyncIterator[ServerSentEvent]:
    """An event for each new picture, then `done`. One long job for each user (a cookie) at a time.

    Closing the stream stops the job and stores what was reached under its number of steps.
    """
    async for event in growth_events(growing):
        yield event


@router.get(
    "/synthesised/events",
    response_class=EventSourceResponse,
    responses=EVENTS,
    summary="Synthesise the picture of a whole step",
)
async def step_events(
    growing: Annotated[QueuedGrowth, Depends(growing_step)],
) -> AsyncIterator[ServerSentEvent]:
    """Like that of a channel."""
    async for event in growth_events(growing):
        yield event


async def growth_events(growing: QueuedGrowth) -> AsyncIterator[ServerSentEvent]:
    """Each new picture as JSON; a failure as an event `error` with a problem."""
    try:
        async for item in growing.items:
            if not isinstance(item, int) and item.fresh:
                yield ServerSentEvent(data=_growth(item), id=str(item.step))
    except Exception as error:
        if not isinstance(error, LayerscopeError):
            _log.exception("A synthesis broke off.")
        why = user_error(error)
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


async def _synthesised(query: SynthesisQuery, services: Services) -> SynthesisedInfo:
    found = await asyncio.to_thread(services.studio.find, query)
    recipe = query.recipe
    return SynthesisedInfo(
        url=picture_url(query),
        state=found.state if found else "none",
        events=f"{unit_url(query.model, query.step, query.channel)}/synthesised/events",
        steps=recipe.steps,
        seed=recipe.seed,
        size=recipe.size,
        measured_at=query.at,
        objective=found.picture.objective if found else None,
    )


def _statistics(preferred: ClassPreferences | None) -> ChannelStatistics | None:
    if preferred is None:
        return None
    return ChannelStatistics(
        measured_at=preferred.at,
        mean=preferred.mean,
        lowest=preferred.lowest,
        highest=preferred.highest,
        pictures=preferred.pictures,
    )


def _prefers(preferred: ClassPreferences | None) -> list[ClassPreference]:
    return [
        ClassPreference.model_validate({"index": one.index, "class": one.label, "value": one.value})
        for one in (preferred.classes if preferred else ())
    ]


def _kernel(model: Model, step: str) -> str | None:
    one = model.outline.step(step)
    reads_colours = one.kind == "conv" and one.inputs[0] not in model.geometry
    return filters_url(model, step) if reads_colours else None
