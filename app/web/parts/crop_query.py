"""What a crop's URL names: a collection, a unit, and a picture by its number there.

A client can only name a picture among the strongest of the given channel: no path and no id of a
picture comes from the client.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Path
from fastapi.responses import Response

from app.errors import NotFound
from app.services.atlas.crop_sources import (
    SAMPLES,
    UPLOADS,
    AtlasCropSource,
    CropSource,
    SampleCropSource,
    UploadCropSource,
    convolution,
    find_entry,
)
from app.services.atlas.library import FoundAtlases
from app.services.networks.catalogue import Model
from app.services.runs.peaks import PeakEntry
from app.services.runs.sheets import version
from app.services.surveys.survey import Survey, SurveyProgress
from app.services.surveys.surveys import weights_id
from app.web.core.base_path import base
from app.web.core.file_responses import file_response
from app.web.core.state import Services, ServicesDep

BRIEFLY = 10.0
"""Seconds that an API request waits for the survey of the built-in pictures."""

Channel = Annotated[int, Path(ge=0)]


def atlases(services: Services, model: Model) -> FoundAtlases:
    """The atlases of a network. Blocks."""
    return services.atlases.of(model, weights_id(model))


def command(model: Model) -> str:
    """The command that makes an atlas where the page looks for it."""
    return f"python -m app atlas build --model {model.id} --images <folder>"


def out_of(services: Services, source: CropSource) -> str:
    """Out of how many pictures the crops are the strongest, in words."""
    if isinstance(source, SampleCropSource):
        return f"The strongest of the {source.count} built-in pictures."
    if isinstance(source, AtlasCropSource):
        return f"The strongest of {source.atlas.about.read:,} pictures in “{source.atlas.title}”."
    count = services.gathered.count(source.model) if services.gathered else 0
    return (
        f"The strongest of {count} pictures uploaded here since the server started; "
        "crops are deleted with their picture."
    )


async def source_of(
    services: Services, model: Model, of: str, patience: float = 60.0
) -> CropSource | SurveyProgress:
    """The collection of that name, or the progress of the survey of the built-in pictures.

    Raises `NotFound`, for uploads also where the operator keeps them private.
    """
    if of == SAMPLES:
        survey = await services.surveys.get(model.id, patience, crops=True)
        if isinstance(survey, Survey):
            return SampleCropSource(model, survey, services.pictures)
        return survey
    if of == UPLOADS:
        if services.gathered is None:
            raise NotFound("Uploaded pictures are private here.")
        # The user's own picture may just have been run: its crops are gathered in the background.
        await services.gathered.settled()
        return UploadCropSource(model, services.gathered, services.pictures)
    digest = await asyncio.to_thread(weights_id, model)
    found = await asyncio.to_thread(services.atlases.get, model, digest, of)
    return AtlasCropSource(model, found)


@dataclass(frozen=True, slots=True)
class CropQuery:
    """A unit of a network in a collection, and one of its crops."""

    source: CropSource
    step: str
    channel: int
    peak: PeakEntry

    def answer(self, data: bytes, kind: str, v: str) -> Response:
        """A file response; crops of uploads are never cached."""
        model = self.source.model
        response = file_response(data, kind, self.source.immutable and v == version(model.row))
        if self.source.id == UPLOADS:
            response.headers["Cache-Control"] = "no-store"
        return response


async def unit(services: Services, model: str, of: str, step: str, channel: int) -> CropSource:
    """The collection, if the unit belongs to a convolution. Raises `NotFound`."""
    known = services.catalogue.model(model)
    where = known.geometry.get(step)
    if where is None or known.outline.step(step).kind != "conv" or channel >= where.shape[0]:
        raise NotFound(f"{known.row.title} has no convolution with such a map.")
    source = await source_of(services, known, of)
    if isinstance(source, SurveyProgress):
        raise NotFound("The built-in pictures have not all gone through this network yet.")
    return source


async def crop_query(
    services: ServicesDep, model: str, of: str, step: str, channel: Channel, number: int
) -> CropQuery:
    """The crop that a URL names. Raises `NotFound`."""
    source = await unit(services, model, of, step, channel)
    won = await asyncio.to_thread(find_entry, source, step, channel, number)
    return CropQuery(source, step, channel, won)


CropQueryDep = Annotated[CropQuery, Depends(crop_query)]


async def best_crops(
    services: Services, model: Model, step: str, channel: int
) -> list[tuple[str, float, str | None]]:
    """URL, value and, if known, class of a unit's crops; [] while the survey is running.

    From an operator's folder if there is an atlas of one, else from the built-in pictures; never
    from uploads.
    """
    if (at := convolution(model, step, channel)) is None or model.entry.path is None:
        return []
    found = await asyncio.to_thread(atlases, services, model)
    of = found.atlases[0].id if found.atlases else SAMPLES
    source = await source_of(services, model, of, BRIEFLY)
    if isinstance(source, SurveyProgress):
        return []
    return [
        (crop_url(model.id, of, *at, won.number), won.value, source.label(won.number))
        for won in await asyncio.to_thread(source.ranking, *at)
    ]


def crop_url(model: str, of: str, step: str, channel: int, number: int, what: str = ".webp") -> str:
    """The URL of a crop or a file about it: by the picture's number in its collection only."""
    return f"{base()}/crops/{quote(model)}/{quote(of)}/{quote(step)}/{channel}/{number}{what}"
