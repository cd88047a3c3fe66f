"""API routes of a channel: what it responds to (feature visualisation), and the stream of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import NotFound
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
from app.web.api.json_events import JsonEvents
from app.web.api.models import ModelId, StepName
from app.web.api.schemas import ERRORS, problem
from app.web.core.file_responses import Download, Jpeg, Png, Version, file_response
from app.web.core.links import filters_url
from app.web.core.state import OwnerDep, Services, ServicesDep
from app.web.core.streams import JobUpdate, QueuedJob, job_events
from app.web.parts.crop_query import best_crops
from app.web.parts.queued_growth import queued_growth
from app.web.parts.synthesis_urls import digest, picture_url, synthesis_options, unit_url

router = APIRouter(prefix="/models/{model}/steps/{step}", tags=["channels"], responses=ERRORS)

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


async def growing_channel(
    query: Annotated[SynthesisQuery, Depends(channel_query)], services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedJob[GrowthReport]]:
    """The queued synthesis of a channel."""
    async with queued_growth(query, services, owner) as job:
        yield job


async def growing_step(
    query: Annotated[SynthesisQuery, Depends(step_query)], services: ServicesDep, owner: OwnerDep
) -> AsyncIterator[QueuedJob[GrowthReport]]:
    """The queued synthesis of a whole step."""
    async with queued_growth(query, services, owner) as job:
        yield job


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
    job: Annotated[QueuedJob[GrowthReport], Depends(growing_channel)],
) -> AsyncIterator[ServerSentEvent]:
    """An event for each new picture, then `done`. One long job for each user (a cookie) at a time.

    Closing the stream stops the job and stores what was reached under its number of steps.
    """
    async for event in job_events(_updates(job.items), JsonEvents()):
        yield event


@router.get(
    "/synthesised/events",
    response_class=EventSourceResponse,
    responses=EVENTS,
    summary="Synthesise the picture of a whole step",
)
async def step_events(
    job: Annotated[QueuedJob[GrowthReport], Depends(growing_step)],
) -> AsyncIterator[ServerSentEvent]:
    """Like that of a channel."""
    async for event in job_events(_updates(job.items), JsonEvents()):
        yield event


async def _updates(
    reports: AsyncGenerator[GrowthReport],
) -> AsyncGenerator[JobUpdate[GrowthInfo]]:
    """An update for each new picture."""
    async for report in reports:
        if report.fresh:
            yield JobUpdate(report.step, _growth(report))


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
