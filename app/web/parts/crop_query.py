"""What a crop's URL asks for: a collection, a unit, and a picture by its number there.

Only a picture that is among the strongest of the channel that is named can be asked for: no path
and no id of a picture comes from a person.
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
from app.web.core.file_responses import file_response
from app.web.core.state import Services, ServicesDep

BRIEFLY = 10.0
"""Seconds that a program waits for the built-in pictures."""

Channel = Annotated[int, Path(ge=0)]


def atlases(services: Services, model: Model) -> FoundAtlases:
    """The atlases of a network. Blocks."""
    return services.atlases.of(model, weights_id(model))


def command(model: Model) -> str:
    """What makes an atlas where the page looks for it."""
    return f"python -m app atlas build --model {model.id} --images <folder>"


def out_of(services: Services, source: CropSource) -> str:
    """Of how many pictures the crops are the strongest."""
    if isinstance(source, SampleCropSource):
        return f"The strongest of the {source.count} built-in pictures."
    if isinstance(source, AtlasCropSource):
        return f"The strongest of {source.atlas.about.read:,} pictures in “{source.atlas.title}”."
    count = services.gathered.count(source.model) if services.gathered else 0
    return (
        f"The strongest of {count} pictures that people brought here since the server started; "
        "they go when the picture is deleted."
    )


async def source_of(
    services: Services, model: Model, of: str, patience: float = 60.0
) -> CropSource | SurveyProgress:
    """The collection of that name, or how far the built-in pictures are.

    Raises `NotFound`, and for uploads also where the operator keeps them private.
    """
    if of == SAMPLES:
        survey = await services.surveys.get(model.id, patience, crops=True)
        if isinstance(survey, Survey):
            return SampleCropSource(model, survey, services.pictures)
        return survey
    if of == UPLOADS:
        if services.gathered is None:
            raise NotFound("Pictures that people bring are private here.")
        # A person's own picture has gone through just now: it is looked at beside this request.
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
    won: PeakEntry

    def answer(self, data: bytes, kind: str, v: str) -> Response:
        """A file; of uploads nothing stays in any cache."""
        model = self.source.model
        response = file_response(data, kind, self.source.immutable and v == version(model.row))
        if self.source.id == UPLOADS:
            response.headers["Cache-Control"] = "no-store"
        return response


async def unit(services: Services, model: str, of: str, step: str, channel: int) -> CropSource:
    """The collection, where the unit is one of a convolution. Raises `NotFound`."""
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
    """What a crop's URL names. Raises `NotFound`."""
    source = await unit(services, model, of, step, channel)
    won = await asyncio.to_thread(find_entry, source, step, channel, number)
    return CropQuery(source, step, channel, won)


CropQueryDep = Annotated[CropQuery, Depends(crop_query)]


async def best_crops(
    services: Services, model: Model, step: str, channel: int
) -> list[tuple[str, float, str | None]]:
    """URL, value and, where it is known, class of a unit's crops; [] while they are being found.

    Of an operator's folder where there is one, else of the built-in pictures; never of uploads.
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
    """A crop, or what belongs to it: by the picture's number in its collection, by nothing else."""
    return f"/crops/{quote(model)}/{quote(of)}/{quote(step)}/{channel}/{number}{what}"
