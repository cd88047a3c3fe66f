"""One summand of a cell, as lists and bars show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a cell."""

    channel: int  # of the input map
    value: float
    share: float  # of the sum of all magnitudes, 0..1
    url: str  # the page with that map selected; "" for the picture's colours
    name: str  # of the input map
    how: str = ""  # value times weight, where it is one product
