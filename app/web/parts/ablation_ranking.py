"""The finished ranking of a layer's channels, for the page and for programs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from app.services.interventions.ablation import (
    AblationRanking,
    cached_ranking,
    checked_step,
    is_cheap,
    rank,
)
from app.web.core.state import Services
from app.web.parts.unit_query import UnitQuery, required


async def finished_ranking(asked: UnitQuery, services: Services, owner: str) -> AblationRanking:
    """The finished ranking, computed now where it is not kept. Raises `Busy`, `NoClassifier`."""
    index = _checked(asked)
    found = cached_ranking(services.cuts, asked.run, asked.record, index)
    if found is not None:
        return found
    # What takes no time does not stand in the way of the same person's long job.
    owner = f"{owner} ranking" if is_cheap(asked.run.model) else owner
    async with aclosing(_rank(asked, index, services, owner)) as items:  # type: ignore[type-var]
        async for item in items:
            if isinstance(item, AblationRanking):
                found = item
    if found is None:
        raise RuntimeError("a ranking ended before its first channel")
    return found


def _rank(
    asked: UnitQuery, index: int, services: Services, owner: str
) -> AsyncIterator[int | AblationRanking]:
    return rank(services.engine, services.cuts, owner, asked.run, asked.record, index)


def _checked(asked: UnitQuery) -> int:
    checked_step(asked.run, asked.record)
    return required(asked.index, asked.run)
