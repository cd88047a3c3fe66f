"""One summand of a cell, as lists and bars show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.web.parts.contexts import helped

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a cell."""

    channel: int = helped("The input map it comes from.")
    value: float = helped("What it adds.")
    share: float = helped("Its part of all magnitudes, 0..1.")
    url: str = helped("The page with that map selected, empty for the picture's colours.")
    name: str = helped("What the input map is called.")
    how: str = helped("Value times weight, where it is one product.", "")
