"""A link to a panel, folded under a unit."""

from __future__ import annotations

from dataclasses import dataclass

from app.web.parts.contexts import helped


@dataclass(frozen=True, slots=True)
class PanelLink:
    """A panel that is folded until it is opened."""

    title: str = helped("Its title.")
    url: str = helped("URL of its content.")
    open: bool = helped("Whether a link opens it.", False)
