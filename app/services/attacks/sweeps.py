"""Sweeps over epsilon (robustness curves): run as long jobs, cached when they are finished."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from app.services.attacks.pixel_model import pixel_model_of
from app.services.cache import ByteCache
from app.services.engine.batching import activation_bytes
from app.services.engine.engine import Engine
from app.services.runs.pairs import PicturePair
from app.vision.attacks.sweep import Method, SweepPass, SweepPoint, SweepSubject, sweep

BUDGET = 2_000_000
POINT = 1_500
"""About the bytes of a point; a sweep has a dozen."""

TOGETHER = 4
"""Batch size: with more a small network is hardly faster, and points come later."""
ROOM = 400_000_000
"""Bytes of activations of one pass, stored for the backward pass."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep of attacks on the clean picture of a pair, towards its target if it has one."""

    pair: PicturePair
    method: Method

    @property
    def key(self) -> tuple[str, ...]:
        """All that determines the result: network, picture, weights, method, target, seed."""
        pair = self.pair
        row = pair.model.row
        return row.id, pair.before, row.sha256, self.method, str(pair.target), str(pair.seed)


class Sweeps:
    """A cache of finished sweeps, within a budget in bytes."""

    def __init__(self) -> None:
        self._cache: ByteCache[tuple[str, ...], tuple[SweepPoint, ...]] = ByteCache(BUDGET)

    def __len__(self) -> int:
        return len(self._cache)

    def finished(self, request: Sweep) -> tuple[SweepPoint, ...] | None:
        """Every point of a finished sweep, by epsilon; None if it is not cached."""
        return self._cache.get(request.key)

    async def run(
        self, engine: Engine, request: Sweep, owner: str
    ) -> AsyncGenerator[int | SweepPoint]:
        """Yield the place in the queue, then points as they are computed; cache them at the end.

        Closing the iterator cancels the work. Raises `Busy`.
        """
        points: list[SweepPoint] = []
        items = engine.stream(owner, lambda: _points(request))
        async with aclosing(items) as running:
            async for item in running:
                if isinstance(item, SweepPoint):
                    points.append(item)
                if not isinstance(item, SweepPass):
                    yield item
        self._cache.put(request.key, by_epsilon(points), POINT * len(points))

    def forget(self, image: str) -> None:
        """Drop every sweep of a deleted picture."""
        self._cache.drop_where(lambda key: key[1] == image)


def by_epsilon(points: list[SweepPoint]) -> tuple[SweepPoint, ...]:
    """The points in ascending order of epsilon."""
    return tuple(sorted(points, key=lambda one: one.epsilon))


def _points(request: Sweep) -> Iterator[SweepPoint | SweepPass]:
    pair = request.pair
    room = ROOM // (3 * activation_bytes(pair.network))
    model = pixel_model_of(pair.model, pair.network)
    batch = max(1, min(TOGETHER, room))
    subject = SweepSubject(model, pair.clean[None], request.method, pair.target, pair.seed, batch)
    return sweep(subject)
