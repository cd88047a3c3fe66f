"""The zoom levels of a unit, as tabs."""

from __future__ import annotations

from dataclasses import dataclass

from app.web.core.links import View, Zoom
from app.web.parts.contexts import helped


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of a zoom level."""

    title: str = helped("Its title.")
    url: str = helped("The page at that zoom level.")
    set: str = helped("What the link changes in the page's URL.")
    current: bool = helped("Whether it is on screen.")


def tabs(view: View, spatial: bool = True) -> tuple[Tab, ...]:
    """The tabs of a unit's zoom levels."""
    depths: tuple[tuple[Zoom | None, str], ...] = (
        (None, "Map" if spatial else "Number"),
        ("arithmetic", "Arithmetic"),
        ("chain", "Where from"),
    )
    return tuple(
        Tab(
            title,
            view.url(zoom=zoom, source=None, path=None),
            f"zoom={zoom or ''}&source=&path=",
            view.zoom == zoom,
        )
        for zoom, title in depths
    )
