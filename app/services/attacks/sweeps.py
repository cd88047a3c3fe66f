"""Sweeps over epsilon: asked for, run as long jobs, kept when they came to their end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from app.services.attacks.attacked_model import reader_of
from app.services.cache import ByteCache
from app.services.engine.batching import activation_bytes
from app.services.engine.engine import Engine
from app.services.runs.pairs import PicturePair
from app.vision.attacks.sweep import Method, SweepPass, SweepPoint, SweepSubject, sweep

BUDGET = 2_000_000
POINT = 1_500
"""About the bytes of a point; a sweep has a dozen."""

TOGETHER = 4
"""Pictures in one pass: with more a small network is hardly faster, and points come later."""
ROOM = 400_000_000
"""Bytes of outputs of one pass, kept for the way back."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is swept: the clean picture of a pair, toward its target if it has one."""

    pair: PicturePair
    method: Method

    @property
    def key(self) -> tuple[str, ...]:
        """Network, weights, picture, and what else decides the result."""
        pair = self.pair
        row = pair.model.row
        return row.id, pair.before, row.sha256, self.method, str(pair.target), str(pair.seed)


class Sweeps:
    """Finished sweeps, within a budget."""

    def __init__(self) -> None:
        self._kept: ByteCache[tuple[str, ...], tuple[SweepPoint, ...]] = ByteCache(BUDGET)

    def __len__(self) -> int:
        return len(self._kept)

    def kept(self, asked: Sweep) -> tuple[SweepPoint, ...] | None:
        """Every point by epsilon, where the sweep has come to its end before; else None."""
        return self._kept.get(asked.key)

    async def run(
        self, engine: Engine, asked: Sweep, owner: str
    ) -> AsyncGenerator[int | SweepPoint]:
        """The place in the queue, then points as they are computed; kept at the end.

        Closing it stops the work. Raises `Busy`.
        """
        found: list[SweepPoint] = []
        items = engine.stream(owner, lambda: _points(asked))
        async with aclosing(items) as running:  # type: ignore[type-var]
            async for item in running:
                if isinstance(item, SweepPoint):
                    found.append(item)
                if not isinstance(item, SweepPass):
                    yield item
        self._kept.put(asked.key, by_epsilon(found), POINT * len(found))

    def forget(self, image: str) -> None:
        """Drop every sweep of a picture that was deleted."""
        self._kept.drop_where(lambda key: key[1] == image)


def by_epsilon(points: list[SweepPoint]) -> tuple[SweepPoint, ...]:
    """The points from left to right."""
    return tuple(sorted(points, key=lambda one: one.epsilon))


def _points(asked: Sweep) -> Iterator[SweepPoint | SweepPass]:
    pair = asked.pair
    room = ROOM // (3 * activation_bytes(pair.network))
    model = reader_of(pair.model, pair.network)
    batch = max(1, min(TOGETHER, room))
    question = SweepSubject(model, pair.clean[None], asked.method, pair.target, pair.seed, batch)
    return sweep(question)
