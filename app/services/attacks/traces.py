"""Attacks step by step, kept for a while: the same link again is played, not computed."""

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
"""About what a step takes beside its picture."""
DIGITS = 24
"""Hexadecimal digits of either half of a key: nobody guesses one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attack ended; `image` is the id of its 8-bit picture. See `Attacked`.

    `stopped` says that a person ended it before its time.
    """

    image: str
    ended: AttackEnded
    ssim: float
    notes: tuple[str, ...]
    stopped: bool


@dataclass(eq=False, slots=True)
class Trace:
    """An attack as far as it has come; it holds no network. `start` is uint8 [3,S,S].

    `outcome` is None while it runs; `stopping` asks it to end after the step at hand.
    """

    key: str
    start: Tensor
    labels: tuple[Label, ...]
    options: AttackOptions
    moments: list[AttackMoment] = field(default_factory=list)
    outcome: Outcome | None = None
    stopping: bool = False

    @property
    def whole(self) -> bool:
        """Whether it ran to its own end: only that is played in place of another run."""
        return self.outcome is not None and not self.outcome.stopped

    @property
    def bytes(self) -> int:
        """About what it takes; start and control are two pictures more."""
        picture = self.start.numel()
        return (picture + LISTED) * (len(self.moments) + 2)

    def pixels(self, step: int) -> Tensor:
        """The 8-bit picture of a step, uint8 [3,S,S]. Raises `NotFound`."""
        if not 0 <= step < len(self.moments):
            raise NotFound(f"This attack has steps 0 to {len(self.moments) - 1}, not {step}.")
        pixels = self.moments[step].pixels
        if pixels is None:
            raise ValueError("a trace keeps the picture of every step")
        return pixels

    def control(self) -> Tensor:
        """The control's picture, uint8 [3,S,S]. Raises `NotFound` while the attack runs."""
        if self.outcome is None:
            raise NotFound("The control is made when the attack has ended.")
        return self.outcome.ended.control.pixels

    def flip(self) -> int | None:
        """The first step whose first class is not the one it began with."""
        before = self.moments[0].predictions[0].index if self.moments else -1
        changed = (m.step for m in self.moments if m.predictions[0].index != before)
        return next(changed, None)


class Traces:
    """Traces by key, together at most `budget` bytes; the least looked at goes first.

    Every method is called in the event loop's thread.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._kept: ByteCache[str, Trace] = ByteCache(budget)
        self._running: dict[str, Trace] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: str) -> Trace:
        """A trace, perhaps still running. Raises `NotFound`."""
        if (trace := self._kept.get(key)) is None:
            raise NotFound("The steps of this attack have been deleted. Run it again.")
        return trace

    def finished(self, key: str) -> Trace | None:
        """A trace that ran to its own end, if it is kept."""
        trace = self._kept.get(key)
        return trace if trace is not None and trace.whole else None

    async def run(
        self, attacks: Attacks, attack: Attack, image: str, owner: str
    ) -> AsyncGenerator[int | AttackMoment | Outcome]:
        """Compute and keep: places in the queue, each step, how it ended. Closing it stops it.

        Raises `Busy` where this person has a long job already.
        """
        trace = Trace(key_of(attack, image), attack.pixels, attack.model.labels, attack.options)
        steps = attacks.stream(attack, owner, lambda: trace.stopping)
        try:
            async with aclosing(steps) as items:  # type: ignore[type-var]
                async for item in items:
                    if isinstance(item, int):
                        # Not before it has its place: a second one is refused.
                        self._running[owner] = trace
                        yield item
                    else:
                        yield self._take(trace, item)
        finally:
            if self._running.get(owner) is trace:
                del self._running[owner]

    def latest(self, owner: str) -> Trace:
        """The trace that a person's attack is making. Raises `NotFound` where none runs."""
        if (trace := self._running.get(owner)) is None:
            raise NotFound("No attack of yours is running.")
        return trace

    def stop(self, owner: str) -> bool:
        """Let a person's attack end with what it has; whether there is one."""
        if (trace := self._running.get(owner)) is None:
            return False
        trace.stopping = True
        return True

    def forget(self, image: str) -> None:
        """Drop every trace that began at a picture."""
        first = _half(image)
        self._kept.drop_where(lambda key: key.startswith(first))

    def _take(self, trace: Trace, item: AttackMoment | Attacked) -> AttackMoment | Outcome:
        told: AttackMoment | Outcome
        if isinstance(item, AttackMoment):
            trace.moments.append(item)
            told = item
        else:
            told = Outcome(item.image, item.ended, item.ssim, item.notes, trace.stopping)
            trace.outcome = told
        self._keep(trace)
        return told

    def _keep(self, trace: Trace) -> None:
        """Under its key lies whichever run came farthest: another may have the same link."""
        other = self._kept.get(trace.key)
        if other is None or other is trace or _rank(trace) >= _rank(other):
            self._kept.put(trace.key, trace, trace.bytes)


def key_of(attack: Attack, image: str) -> str:
    """A digest of the picture, the weights and every option: the same run, the same key."""
    row = attack.model.row
    rest = json.dumps([row.id, row.sha256, DRAWING, asdict(attack.options)])
    return _half(image) + _half(rest)


async def present(trace: Trace, pictures: Pictures, owner: str, name: str) -> None:
    """See to it that the picture an ended trace came to is among the uploads, under its id."""
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
    return trace.whole, len(trace.moments)


def _half(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
