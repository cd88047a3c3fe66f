"""What a part of the attack found, whether it is enough, and the table of all parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

HEALTH_MS, FRESH_SECONDS, FREED_SECONDS, REFUSED_SECONDS = 100.0, 1.5, 1.0, 2.0
GROWTH = 1.05
"""Largest ratio of memory after the second round to memory after the first."""
ALLOWED = frozenset({503, 507})
"""Answers of 500 and above that say something true: busy, and a full disk."""
HEAD = (
    "part", "tries", "5xx", "503 or 507", "slowest", "`/healthz` p99", "memory before → after",
    "work freed in", "verdict",
)  # fmt: skip


@dataclass(slots=True)
class PartReport:
    """What was tried and seen. Figures that a part does not measure stay None.

    `slowest`, `fresh` (p95 of a run of a new picture) and `freed` are seconds, `health` is the p99
    of `/healthz` in milliseconds, `memory` and `rounds` are MB. `lost` counts what was accepted and
    is not there any more, `faults` are sentences about anything else.
    """

    name: str
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    slowest_allowed: float | None = None
    health: float | None = None
    fresh: float | None = None
    memory: tuple[float | None, float | None] = (None, None)
    rounds: tuple[float | None, float | None] = (None, None)
    freed: float | None = None
    lost: int = 0
    faults: list[str] = field(default_factory=list)
    skipped: str = ""

    def saw(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        self.slowest = max(self.slowest, seconds)

    @property
    def errors(self) -> int:
        """Answers of 500 and above that say nothing true."""
        return sum(n for code, n in self.statuses.items() if code >= 500 and code not in ALLOWED)

    @property
    def misses(self) -> list[str]:
        """The bars that were missed, in words."""
        found = [*self.faults]
        if self.errors:
            found.append(f"{self.errors} answers of 5xx")
        if self.lost:
            found.append(f"{self.lost} accepted and lost")
        if self.slowest_allowed is not None and self.slowest > self.slowest_allowed:
            found.append(f"an answer took {self.slowest:.1f} s, not {self.slowest_allowed:g}")
        if self.health is not None and self.health > HEALTH_MS:
            found.append(f"`/healthz` p99 {self.health:.0f} ms, not {HEALTH_MS:g}")
        if self.fresh is not None and self.fresh > FRESH_SECONDS:
            found.append(f"fresh runs p95 {self.fresh:.2f} s, not {FRESH_SECONDS:g}")
        if self.freed is not None and self.freed > FREED_SECONDS:
            found.append(f"work freed in {self.freed:.1f} s, not {FREED_SECONDS:g}")
        first, second = self.rounds
        if first and second and second > GROWTH * first:
            found.append(f"memory {second / first - 1:.0%} above that after the first round")
        return found

    @property
    def row(self) -> tuple[str, ...]:
        """Its row of the table."""
        if self.skipped:
            return (self.name, *["–"] * (len(HEAD) - 2), f"not tried: {self.skipped}")
        allowed = sum(self.statuses[code] for code in ALLOWED)
        said = "held" if not self.misses else "**missed**: " + "; ".join(self.misses)
        if self.fresh is not None:
            said += f" (fresh runs p95 {self.fresh:.2f} s)"
        return (
            self.name, f"{sum(self.statuses.values()):,}", str(self.errors), str(allowed),
            f"{self.slowest:.2f} s", _figure(self.health, "ms"),
            f"{_figure(self.memory[0], 'MB')} → {_figure(self.memory[1], 'MB')}",
            _figure(self.freed, "s", 1), said,
        )  # fmt: skip


def table(reports: Iterable[PartReport]) -> str:
    """All parts as a table in Markdown."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(one.row for one in reports)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of them lies; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _figure(value: float | None, unit: str, digits: int = 0) -> str:
    return "–" if value is None else f"{value:.{digits}f} {unit}"
