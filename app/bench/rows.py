"""One row of the benchmark's table: a measurement, its reference, and whether it is in its bar."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Literal

Unit = Literal["ms", "kB", "MB"]
Verdict = Literal["ok", "over", "told"]


@dataclass(frozen=True, slots=True)
class BenchRow:
    """A row; `measured` and `reference` are in `unit`; the bar is `limit` times the reference.

    `reference` is the bare network's figure where `bare`, else the bar itself. `limit` is None
    for a figure without a bar.
    """

    what: str
    network: str
    measured: float
    reference: float
    unit: Unit
    limit: float | None = 1.0
    bare: bool = False

    @property
    def ratio(self) -> float:
        """`measured / reference`."""
        return self.measured / self.reference

    @property
    def verdict(self) -> Verdict:
        """Whether the figure is within its bar."""
        if self.limit is None:
            return "told"
        return "ok" if self.ratio <= self.limit else "over"

    def cells(self) -> tuple[str, ...]:
        """The row as text, in the order of `HEAD`."""
        against = "bare" if self.bare else "bar"
        return (
            self.what,
            self.network,
            self._bar(),
            quantity(self.measured, self.unit),
            quantity(self.reference, self.unit) if self.bare else "",
            f"{self.ratio:.2f} × {against}",
            self.verdict,
        )

    def _bar(self) -> str:
        if self.limit is None:
            return "-"
        return f"{self.limit:g} × bare" if self.bare else quantity(self.reference, self.unit)


HEAD = ("what", "network", "bar", "measured", "bare", "ratio", "verdict")


def quantity(value: float, unit: Unit) -> str:
    """Format a figure: three significant digits, whole numbers from 100 on."""
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:.{digits}f} {unit}"


def against_bare(
    what: str, network: str, seconds: list[float], bare: list[float], limit: float | None
) -> BenchRow:
    """A row of medians in milliseconds, against the bare network."""
    return BenchRow(
        what, network, 1000 * median(seconds), 1000 * median(bare), "ms", limit, bare=True
    )


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` (0..1) of all do not exceed."""
    return sorted(values)[ceil(share * len(values)) - 1]
