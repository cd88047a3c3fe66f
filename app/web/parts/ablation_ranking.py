"""The ablation ranking of a layer's channels, as a long job or finished, for page and API."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from app.services.engine.owner import owner_as
from app.services.interventions.ablation import cached_ranking, checked_step, is_cheap, rank
from app.services.interventions.results import AblationRanking
from app.web.core.state import Services
from app.web.parts.unit_query import UnitQuery, required


async def finished_ranking(unit: UnitQuery, services: Services, owner: str) -> AblationRanking:
    """The finished ranking, computed now if it is not cached. Raises `Busy`, `NoClassifier`."""
    index = checked_class(unit)
    found = cached_ranking(services.cuts, unit.run, unit.record, index)
    if found is not None:
        return found
    # A job that takes no time does not wait for a long job of the same owner.
    owner = owner_as(owner).beside("ranking") if is_cheap(unit.run.model) else owner
    async with aclosing(rank_channels(unit, index, services, owner)) as items:
        async for item in items:
            if isinstance(item, AblationRanking):
                found = item
    if found is None:
        raise RuntimeError("a ranking ended before its first channel")
    return found


def rank_channels(
    unit: UnitQuery, index: int, services: Services, owner: str
) -> AsyncGenerator[int | AblationRanking]:
    """Rank the channels as a long job: first the place in the queue, then the ranking so far."""
    return rank(services.engine, services.cuts, owner, unit.run, unit.record, index)


def checked_class(unit: UnitQuery) -> int:
    """The class whose score is ranked by. Raises `UnknownStep`, `NoClassifier`."""
    checked_step(unit.run, unit.record)
    return required(unit.index, unit.run)
