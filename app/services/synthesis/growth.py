"""Synthesis in progress: a picture is computed once, however many clients follow it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from torch import Tensor

from app.errors import NotWritten
from app.services.runs.run import preprocess
from app.services.synthesis.picture import SynthesisedPicture, drawn
from app.services.synthesis.query import SynthesisQuery
from app.vision.synthesis import Synthesis, synthesise
from models.graph import Network

_log = logging.getLogger(__name__)

POINTS = 128
"""Most values of a curve stored with a finished picture."""

PARKED, PATIENCE = 2, 120.0
"""How many growths without listeners stay ready to resume, and for how many seconds: a hidden page
may come back. Few, because each holds its network."""

LONGEST_TURN = 2.0
"""Longest pause between two steps that counts as waiting for other jobs, in seconds."""

Put = Callable[[SynthesisQuery, SynthesisedPicture], None]


@dataclass(frozen=True, slots=True)
class GrowthReport:
    """Progress after `step` of `steps`. `shown` is the query of the newest picture.

    `objective` is the goal's value for that picture; `curve` has values of the steps so
    far, thinned out, each of the transformed view that its step used. `problem` says why it could
    not be stored.
    """

    step: int
    steps: int
    shown: SynthesisQuery
    objective: float
    curve: tuple[float, ...]
    seconds_left: float = 0.0
    problem: str = ""

    @property
    def finished(self) -> bool:
        return self.step == self.steps

    @property
    def fresh(self) -> bool:
        """True if this step brought a new picture."""
        return self.shown.recipe.steps == self.step


class Growth:
    """One picture in progress; advanced by the most advanced listener, in the compute thread."""

    def __init__(self, query: SynthesisQuery, network: Network, show: Put, keep: Put) -> None:
        prep = preprocess(query.model)
        self.query = query
        self.listeners = 0
        self.report: GrowthReport | None = None
        self._synthesis = Synthesis(
            network, query.at, [query.goal], prep.mean, prep.std, query.recipe
        )
        self._source = synthesise(self._synthesis)
        self._show, self._keep = show, keep
        self._curve: list[float] = []
        self._newest: SynthesisedPicture | None = None
        self._seconds = 0.0
        self._before = 0.0

    def advance(self) -> GrowthReport:
        """Compute one step."""
        started = time.monotonic()
        grown = next(self._source)
        self._curve.append(grown.objectives[0])
        shown = self.report.shown if self.report else self.query.after(0)
        objective = self.report.objective if self.report else grown.objectives[0]
        if grown.pictures is not None:
            shown = self.query.after(grown.step)
            # The value of the picture itself, not of the transformed view that the step used.
            objective = self._synthesis.measure()[0]
            self._newest = self._picture(shown, grown.pictures[0], objective)
            self._show(shown, self._newest)
        left = self._left(started, grown.step)
        steps = self.query.recipe.steps
        self.report = GrowthReport(grown.step, steps, shown, objective, self.curve, left)
        if self.report.finished:
            self.report = replace(self.report, problem=self._kept())
        return self.report

    def end(self) -> None:
        """Store the current picture when the last listener has left."""
        if self.report and self.report.step and not self.report.finished and (why := self._kept()):
            _log.warning("A synthesised picture: %s", why)

    @property
    def curve(self) -> tuple[float, ...]:
        """The values so far, thinned out to at most `POINTS`."""
        stride = -(-len(self._curve) // POINTS)
        return tuple(self._curve[::stride])

    def _left(self, started: float, step: int) -> float:
        """Estimated seconds to the end, including turns of other jobs but not parked time."""
        now = time.monotonic()
        self._seconds += now - max(self._before, started - LONGEST_TURN)
        self._before = now
        return self._seconds * (self.query.recipe.steps - step) / max(1, step)

    def _picture(
        self, shown: SynthesisQuery, pixels: Tensor, objective: float
    ) -> SynthesisedPicture:
        return drawn(pixels, shown.key, shown.description, objective, list(self.curve))

    def _kept(self) -> str:
        """Store the newest picture; return "" or the error."""
        if self.report is None or self._newest is None:
            return ""
        try:
            self._keep(self.report.shown, self._newest)
        except NotWritten as error:
            return error.detail
        return ""


@dataclass
class Growths:
    """The running growths, by key. Used in the compute thread only: no lock is needed."""

    show: Put
    keep: Put
    find: Callable[[SynthesisQuery], SynthesisedPicture | None]
    _growing: dict[str, Growth] = field(default_factory=dict)
    _parked: dict[str, tuple[float, Growth]] = field(default_factory=dict)

    def follow(self, query: SynthesisQuery, network: Network) -> Iterator[GrowthReport]:
        """Yield a report after each step from now on; a single one for a finished picture."""
        if found := self.find(query):
            steps = query.recipe.steps
            yield GrowthReport(steps, steps, query, found.objective, found.curve)
            return
        growth = self._join(query, network)
        seen: GrowthReport | None = None
        try:
            while seen is None or not seen.finished:
                # Another listener may be ahead: then only report, without computing.
                behind = growth.report is not None and growth.report is not seen
                seen = growth.report if behind and growth.report else growth.advance()
                yield seen
        finally:
            self._leave(growth)

    def __len__(self) -> int:
        return len(self._growing)

    @property
    def parked(self) -> int:
        """Number of growths without listeners, ready to resume."""
        return len(self._parked)

    def _join(self, query: SynthesisQuery, network: Network) -> Growth:
        """The running growth, or a parked one, or a new one."""
        self._tidy()
        growth = self._growing.get(query.key)
        if growth is None:
            _, growth = self._parked.pop(query.key, (0.0, None))
            growth = growth or Growth(query, network, self.show, self.keep)
            self._growing[query.key] = growth
        growth.listeners += 1
        return growth

    def _leave(self, growth: Growth) -> None:
        growth.listeners -= 1
        if not growth.listeners:
            self._growing.pop(growth.query.key, None)
            growth.end()
            if growth.report and not growth.report.finished:
                self._parked[growth.query.key] = (time.monotonic() + PATIENCE, growth)
            self._tidy()

    def _tidy(self) -> None:
        """Drop the parked growths that have timed out."""
        now = time.monotonic()
        self._parked = dict(
            [(key, one) for key, one in self._parked.items() if one[0] > now][-PARKED:]
        )
