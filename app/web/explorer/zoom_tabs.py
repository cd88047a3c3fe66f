"""The zoom levels of a unit, as tabs."""

from __future__ import annotations

from dataclasses import dataclass

from app.web.core.links import View, Zoom


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of a zoom level."""

    title: str
    url: str
    set: str  # what the link changes in the page's URL
    current: bool


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
