"""A cache of attacks step by step: the same request again is replayed, not recomputed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, dataclass, field

from torch import Tensor

from app.errors import NotFound
from app.pictures.preprocess import input_png
from app.services.attacks.attacks import Attack, Attacked, Attacks
from app.services.attacks.job import AttackEnded, AttackMoment
from app.services.attacks.options import AttackOptions
from app.services.cache import ByteCache
from app.services.pictures.store import Pictures
from app.services.runs.sheets import DRAWING
from models.classes import Label

BUDGET = 64_000_000
"""Bytes: mini's ten steps are 150 thousand, those of a network for 224 pixels 2 million."""
LISTED = 4_000
"""About the bytes of a step without its picture."""
DIGITS = 24
"""Hexadecimal digits of either half of a key: too many to guess."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an attack; `image` is the id of its 8-bit picture. See `Attacked`.

    `stopped` says that the user stopped it early.
    """

    image: str
    ended: AttackEnded
    ssim: float
    notes: tuple[str, ...]
    stopped: bool


@dataclass(eq=False, slots=True)
class Trace:
    """The steps of an attack so far, without its network. `start` is uint8 [3,S,S].

    `outcome` is None while it runs; `stopping` makes it end after the current step.
    """

    key: str
    start: Tensor
    labels: tuple[Label, ...]
    options: AttackOptions
    moments: list[AttackMoment] = field(default_factory=list)
    outcome: Outcome | None = None
    stopping: bool = False

    @property
    def complete(self) -> bool:
        """True if it ran to its end: only such a trace is replayed instead of a new run."""
        return self.outcome is not None and not self.outcome.stopped

    @property
    def bytes(self) -> int:
        """About its memory; start and control are two more pictures."""
        picture = self.start.numel()
        return (picture + LISTED) * (len(self.moments) + 2)

    def pixels(self, step: int) -> Tensor:
        """Return the 8-bit picture of a step, uint8 [3,S,S]. Raises `NotFound`."""
        if not 0 <= step < len(self.moments):
            raise NotFound(f"This attack has steps 0 to {len(self.moments) - 1}, not {step}.")
        pixels = self.moments[step].pixels
        if pixels is None:
            raise ValueError("a trace keeps the picture of every step")
        return pixels

    def control(self) -> Tensor:
        """Return the control picture, uint8 [3,S,S]. Raises `NotFound` while the attack runs."""
        if self.outcome is None:
            raise NotFound("The control is made when the attack has ended.")
        return self.outcome.ended.control.pixels

    def flip(self) -> int | None:
        """The first step whose most likely class differs from the one at the start."""
        before = self.moments[0].predictions[0].index if self.moments else -1
        changed = (m.step for m in self.moments if m.predictions[0].index != before)
        return next(changed, None)


class Traces:
    """Traces by key, at most `budget` bytes; the least recently used is dropped first.

    Call every method in the event loop's thread.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._cache: ByteCache[str, Trace] = ByteCache(budget)
        self._running: dict[str, Trace] = {}

    def __len__(self) -> int:
        return len(self._cache)

    def find(self, key: str) -> Trace:
        """Return a trace, which may still be running. Raises `NotFound`."""
        if (trace := self._cache.get(key)) is None:
            raise NotFound("The steps of this attack have been deleted. Run it again.")
        return trace

    def finished(self, key: str) -> Trace | None:
        """Return a trace that ran to its end, if it is cached."""
        trace = self._cache.get(key)
        return trace if trace is not None and trace.complete else None

    async def run(
        self, attacks: Attacks, attack: Attack, image: str, owner: str
    ) -> AsyncGenerator[int | AttackMoment | Outcome]:
        """Compute and cache an attack: yield its place in the queue, each step, and the result.

        Closing the iterator cancels it. Raises `Busy` if this user has a long job already.
        """
        trace = Trace(key_of(attack, image), attack.pixels, attack.model.labels, attack.options)
        steps = attacks.stream(attack, owner, lambda: trace.stopping)
        try:
            async with aclosing(steps) as items:
                async for item in items:
                    if isinstance(item, int):
                        # Only once it is in the queue: a second attack is refused.
                        self._running[owner] = trace
                        yield item
                    else:
                        yield self._take(trace, item)
        finally:
            if self._running.get(owner) is trace:
                del self._running[owner]

    def latest(self, owner: str) -> Trace:
        """Return the trace of a user's running attack. Raises `NotFound` if none runs."""
        if (trace := self._running.get(owner)) is None:
            raise NotFound("No attack of yours is running.")
        return trace

    def stop(self, owner: str) -> bool:
        """Stop a user's attack after the current step; return True if one is running."""
        if (trace := self._running.get(owner)) is None:
            return False
        trace.stopping = True
        return True

    def forget(self, image: str) -> None:
        """Drop every trace of an attack on a deleted picture."""
        first = _half(image)
        self._cache.drop_where(lambda key: key.startswith(first))

    def _take(self, trace: Trace, item: AttackMoment | Attacked) -> AttackMoment | Outcome:
        event: AttackMoment | Outcome
        if isinstance(item, AttackMoment):
            trace.moments.append(item)
            event = item
        else:
            event = Outcome(item.image, item.ended, item.ssim, item.notes, trace.stopping)
            trace.outcome = event
        self._store(trace)
        return event

    def _store(self, trace: Trace) -> None:
        """Cache a trace unless a run with the same key got further."""
        other = self._cache.get(trace.key)
        if other is None or other is trace or _rank(trace) >= _rank(other):
            self._cache.put(trace.key, trace, trace.bytes)


def key_of(attack: Attack, image: str) -> str:
    """A digest of the picture, the weights and every option: equal runs have equal keys."""
    row = attack.model.row
    rest = json.dumps([row.id, row.sha256, DRAWING, asdict(attack.options)])
    return _half(image) + _half(rest)


async def store_result(trace: Trace, pictures: Pictures, owner: str, name: str) -> None:
    """Store the resulting picture of a finished trace among the uploads, if it is not there."""
    if trace.outcome is None:
        return
    image, png = trace.outcome.image, input_png(trace.outcome.ended.pixels)

    def work() -> None:
        try:
            pictures.require(image)
        except NotFound:
            pictures.add(png, owner, name)

    await asyncio.to_thread(work)


def _rank(trace: Trace) -> tuple[bool, int]:
    return trace.complete, len(trace.moments)


def _half(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
