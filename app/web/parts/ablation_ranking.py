"""The finished ablation ranking of a layer's channels, for the page and for the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from app.services.interventions.ablation import (
    AblationRanking,
    at_once,
    checked_step,
    kept_ranking,
    rank,
)
from app.web.core.state import Services
from app.web.parts.unit_query import UnitQuery, required


async def finished_ranking(unit: UnitQuery, services: Services, owner: str) -> AblationRanking:
    """The finished ranking, computed now if it is not cached. Raises `Busy`, `NoClassifier`."""
    index = _checked(unit)
    found = kept_ranking(services.cuts, unit.run, unit.record, index)
    if found is not None:
        return found
    # A job that takes no time does not wait for a long job of the same owner.
    owner = f"{owner} ranking" if at_once(unit.run.model) else owner
    async with aclosing(_rank(unit, index, services, owner)) as items:  # type: ignore[type-var]
        async for item in items:
            if isinstance(item, AblationRanking):
                found = item
    if found is None:
        raise RuntimeError("a ranking ended before its first channel")
    return found


def _rank(
    unit: UnitQuery, index: int, services: Services, owner: str
) -> AsyncIterator[int | AblationRanking]:
    return rank(services.engine, services.cuts, owner, unit.run, unit.record, index)


def _checked(unit: UnitQuery) -> int:
    checked_step(unit.run, unit.record)
    return required(unit.index, unit.run)
