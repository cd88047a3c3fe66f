"""What covering and cutting found, kept within a budget: a second look costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import aclosing
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from app.errors import Cancelled
from app.services.cache import ByteCache
from app.services.engine.batching import activation_bytes
from app.services.engine.engine import Engine
from app.services.runs.run import Key
from models.graph import Network

if TYPE_CHECKING:
    from app.services.interventions.ablation import AblationRanking
    from app.services.interventions.brush import BrushResult
    from app.services.interventions.occlusion import OcclusionSoFar

T = TypeVar("T")

BUDGET = 16_000_000
"""Bytes of each kind; a brush stroke on AlexNet takes 0.2 MB, an occlusion map 1 kB."""

MOST, ROOM = 16, 64_000_000
"""Pictures that go together in a long job, and bytes of their maps: a turn ends within a second."""

_turns = count()


class InterventionCache:
    """Three caches. A key begins with the run's: network, picture, digest of the weights."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.brushed: ByteCache[tuple[Key, object], BrushResult] = ByteCache(budget)
        self.laid: ByteCache[tuple[Key, object], OcclusionSoFar] = ByteCache(budget)
        self.rankings: ByteCache[tuple[Key, object], AblationRanking] = ByteCache(budget)

    def forget(self, image: str) -> None:
        """Drop everything about a picture that was deleted."""
        for cache in (self.brushed, self.laid, self.rankings):
            cache.drop_where(lambda key: key[0][1] == image)


def together(network: Network) -> int:
    """How many pictures go through a network at a time in a long job."""
    return max(1, min(MOST, ROOM // max(1, activation_bytes(network))))


async def once(engine: Engine, owner: str, work: Callable[[], T]) -> T:
    """A piece of less than a pass, where networks run, between two items of the long jobs.

    It does not count as a person's one long job. Raises `Busy`.
    """

    def item() -> Iterator[T]:
        yield work()

    turns = engine.stream(f"{owner} {next(_turns)}", item)
    async with aclosing(turns) as items:  # type: ignore[type-var]
        await anext(items)  # its place in the queue
        async for found in items:
            return found  # type: ignore[return-value]
    raise Cancelled("The server is stopping.")
