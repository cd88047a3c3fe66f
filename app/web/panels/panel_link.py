"""A link to a panel, as it stands folded under a unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.web.parts.contexts import helped

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class PanelLink:
    """A panel that is folded until it is asked for."""

    title: str = helped("What it shows.")
    url: str = helped("Where its inside comes from.")
    open: bool = helped("Whether a link asked for it.", False)
