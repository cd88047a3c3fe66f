"""The services behind one app, created when it starts and closed when it stops."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Annotated

import torch
from fastapi import Depends, Request

from app.errors import BadRequest, LayerscopeError
from app.services.atlas.library import AtlasLibrary
from app.services.atlas.upload_crops import UploadCrops
from app.services.attacks.attacks import Attacks
from app.services.attacks.sweeps import Sweeps
from app.services.attacks.traces import Traces
from app.services.cache import ByteCache
from app.services.data_folder import owned
from app.services.engine import device
from app.services.engine.engine import Engine, LocalEngine
from app.services.engine.owner import Owner
from app.services.engine.side_work import SideWork
from app.services.engine.spare_memory import give_back_at_rest
from app.services.interventions.cache import InterventionCache
from app.services.networks.catalogue import Catalogue
from app.services.networks.downloads import Downloads
from app.services.networks.weight_files import WeightFiles
from app.services.pictures.decoders import Decoders
from app.services.pictures.store import Pictures
from app.services.runs.runs import Runs
from app.services.runs.sheets import Scale, Sheets
from app.services.surveys.surveys import Surveys
from app.services.synthesis.studio import Studio
from app.settings import Settings
from app.web.core.hosts import HostNames

_log = logging.getLogger(__name__)

EXPIRY_INTERVAL = 300.0
"""Seconds between two checks for expired pictures."""


EVENTS = 16_000_000
"""Capacity of the cache of finished events, bytes: a run of a small network has about 100,000."""


@dataclass(frozen=True, slots=True)
class Services:
    """The services that routes call.

    `events` caches the HTML of cards by network, picture, weights, scale,
    number and sub-path, `traces` the
    steps of attacks; `stopping` is set when the server shuts down. `decoders` reads uploads,
    `side_work` runs what computes outside the engine.
    """

    settings: Settings
    engine: Engine
    catalogue: Catalogue
    pictures: Pictures
    runs: Runs
    sheets: Sheets
    studio: Studio
    surveys: Surveys
    decoders: Decoders
    side_work: SideWork
    events: ByteCache[tuple[str, str, str, Scale, int, str], str] = field(
        default_factory=lambda: ByteCache(EVENTS)
    )
    traces: Traces = field(default_factory=Traces)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    downloads: Downloads = field(default_factory=Downloads)
    cuts: InterventionCache = field(default_factory=InterventionCache)
    gathered: UploadCrops | None = None
    sweeps: Sweeps = field(default_factory=Sweeps)

    @property
    def attacks(self) -> Attacks:
        """Runs attacks; it has no state of its own."""
        return Attacks(self.engine, self.catalogue, self.pictures)

    @property
    def atlases(self) -> AtlasLibrary:
        """The atlases in the data folder."""
        return AtlasLibrary(self.settings.data / "atlas")

    def stop(self) -> None:
        """Let every stream end: the server is shutting down."""
        self.stopping.set()
        self.runs.stop()

    def forget(self, image: str) -> None:
        """Delete everything that was computed from a picture."""
        self.runs.forget(image)
        self.sheets.forget(image)
        self.events.drop_where(lambda key: key[1] == image)
        self.cuts.forget(image)
        self.traces.forget(image)
        self.sweeps.forget(image)
        if self.gathered:
            self.gathered.forget(image)


def check(settings: Settings) -> None:
    """Raise a `LayerscopeError` for a network, device or folder that is not available.

    Such as a data folder on which another server runs.
    """
    Catalogue(device.choose(settings.device), 1, WeightFiles(settings.shelves)).model(
        settings.model
    )
    HostNames(settings.hosts)
    if settings.weights and not os.path.isdir(settings.weights):
        raise BadRequest(f"LAYERSCOPE_WEIGHTS names {settings.weights}, which is no folder here.")
    with owned(settings.data):
        pass


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Open the services, and hold the data folder; they close when the context ends."""
    with owned(settings.data):
        async with _opened(settings) as services:
            yield services


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Services]:
    where = device.choose(settings.device)
    engine = LocalEngine(where, queue=settings.queue, batch=settings.batch)
    catalogue = Catalogue(
        where, settings.networks_mb * 1_000_000, WeightFiles(settings.shelves), data=settings.data
    )
    catalogue.model(settings.model)
    pictures = Pictures(
        settings.data,
        limit=settings.upload_mb * 1_000_000,
        max_pixels=settings.megapixels * 1_000_000,
        capacity=settings.pictures_mb * 1_000_000,
        lifetime=settings.expire_hours * 3600,
    )
    decoders = Decoders(pictures.max_pixels)
    gathered = UploadCrops(pictures.has) if settings.crops_of_uploads else None
    on_finished = gathered.add_run if gathered else None
    runs = Runs(engine, catalogue, pictures, settings.runs_mb * 1_000_000, on_finished=on_finished)
    surveys = Surveys(engine, catalogue, settings.data / "surveys")
    sheets = Sheets(settings.sheets_mb * 1_000_000)
    folder, room = settings.data / "synthesised" / "kept", settings.synthesised_mb * 1_000_000
    studio = Studio(engine, catalogue, folder, room)
    services = Services(
        settings, engine, catalogue, pictures, runs, sheets, studio, surveys, decoders,
        SideWork(),
        gathered=gathered,
    )  # fmt: skip
    expiry = asyncio.create_task(_expire(services))
    warm_up = asyncio.create_task(_warm(services))
    at_rest = asyncio.create_task(give_back_at_rest())
    try:
        yield services
    finally:
        services.stop()
        for task in (expiry, warm_up, at_rest):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(services.downloads.close)
        await surveys.close()
        await decoders.close()
        await engine.close()
        services.side_work.close()
        sheets.close()
        pictures.close()


async def _warm(services: Services) -> None:
    """Run one blank picture: the first pass of a process takes ten times as long as the second."""
    with suppress(LayerscopeError):
        network = await services.catalogue.network(services.settings.model)
        blank = torch.zeros(3, network.input_size, network.input_size)
        async for _ in services.engine.forward(network, blank):
            pass


async def _expire(services: Services) -> None:
    while True:
        try:
            for image in await asyncio.to_thread(services.pictures.expire):
                services.forget(image)
        except LayerscopeError as error:
            # As on a full disk: try again, or pictures would stay for ever.
            _log.warning("Expired pictures could not be deleted: %s", error.detail)
        await asyncio.sleep(EXPIRY_INTERVAL)


def services_of(request: Request) -> Services:
    """The services of the app that handles this request."""
    services: Services = request.app.state.services
    return services


def owner_of(request: Request) -> Owner:
    """The owner of uploads: the browser's cookie, a new one if it sent none (see `security`)."""
    owner: Owner = request.state.owner
    return owner


ServicesDep = Annotated[Services, Depends(services_of)]
OwnerDep = Annotated[Owner, Depends(owner_of)]
