"""Caches what occlusion, ablation and the brush computed; batches and short jobs for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import aclosing
from itertools import count
from typing import TypeVar

from app.errors import Cancelled
from app.services.cache import ByteCache
from app.services.engine.batching import activation_bytes
from app.services.engine.engine import Engine
from app.services.engine.owner import owner_as
from app.services.interventions.results import AblationRanking, BrushResult, OcclusionSoFar
from app.services.runs.run import Key
from models.graph import Network

T = TypeVar("T")

BUDGET = 16_000_000
"""Bytes of each cache; a brush result of AlexNet takes 0.2 MB, an occlusion map 1 kB."""

MOST, ROOM = 16, 64_000_000
"""Largest batch of a long job, and bytes of its activations: a turn ends within a second."""

_turns = count()


class InterventionCache:
    """Three caches. A key starts with the run's key: network, picture, digest of the weights."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.brush_results: ByteCache[tuple[Key, object], BrushResult] = ByteCache(budget)
        self.occlusions: ByteCache[tuple[Key, object], OcclusionSoFar] = ByteCache(budget)
        self.rankings: ByteCache[tuple[Key, object], AblationRanking] = ByteCache(budget)

    def forget(self, image: str) -> None:
        """Drop everything about a deleted picture."""
        for cache in (self.brush_results, self.occlusions, self.rankings):
            cache.drop_where(lambda key: key[0][1] == image)


def batch_size(network: Network) -> int:
    """Batch size of a network in a long job."""
    return max(1, min(MOST, ROOM // max(1, activation_bytes(network))))


async def run_once(engine: Engine, owner: str, work: Callable[[], T]) -> T:
    """Run a short piece of work in the compute thread, between two items of the long jobs.

    It does not count as the user's one long job. Raises `Busy`.
    """

    def item() -> Iterator[T]:
        yield work()

    turns = engine.stream(owner_as(owner).beside(str(next(_turns))), item)
    async with aclosing(turns) as items:
        await anext(items)  # its place in the queue
        async for found in items:
            return found  # type: ignore[return-value]
    raise Cancelled("The server is stopping.")
