"""The tabs of the zoom levels of a unit."""

from __future__ import annotations

from app.web.core.links import View, Zoom
from app.web.explorer.contexts import Tab


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
