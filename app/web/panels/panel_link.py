"""A link to a panel, folded under a unit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PanelLink:
    """A panel that is folded until it is opened."""

    title: str
    url: str  # of its content
    open: bool = False  # whether a link opens it
