"""A growing synthesised picture as a queued job, for page and API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.services.synthesis.growth import GrowthReport
from app.services.synthesis.query import SynthesisQuery
from app.web.core.state import Services
from app.web.core.streams import QueuedJob, queued_job


@asynccontextmanager
async def queued_growth(
    query: SynthesisQuery, services: Services, owner: str
) -> AsyncIterator[QueuedJob[GrowthReport]]:
    """Queue a synthesis, and cancel it on leaving. Raises `Busy` and what loading can raise."""
    network = await services.catalogue.network(query.model.id)
    async with queued_job(lambda: services.studio.stream(owner, query, network)) as job:
        yield job
