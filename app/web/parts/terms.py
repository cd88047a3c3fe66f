"""One summand of a cell, as lists and bars show it."""

from __future__ import annotations

from dataclasses import dataclass

from app.web.parts.contexts import helped


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a cell."""

    channel: int = helped("The input map of the summand.")
    value: float = helped("Its value.")
    share: float = helped("Its part of the sum of all magnitudes, 0..1.")
    url: str = helped("The page with that map selected, empty for the picture's colours.")
    name: str = helped("Name of the input map.")
    how: str = helped("Value times weight, where it is one product.", "")
