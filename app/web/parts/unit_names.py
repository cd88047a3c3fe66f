"""The names of maps and cells, and the URLs of their pages."""

from __future__ import annotations

from app.services.runs.run import Run
from app.vision.arithmetic.chain import CellPlace
from app.web.core.links import View, Zoom
from models.graph import INPUT, Step

COLOURS = ("red", "green", "blue")


def label_of(run: Run, step: Step, channel: int) -> str:
    """The class that a number of the last steps stands for, "" elsewhere."""
    labels = run.model.labels
    is_class = step.name == run.model.outline.logits or step.kind == "softmax"
    return labels[channel].label if is_class and len(labels) > channel else ""


def map_name(step: str, channel: int) -> str:
    """`conv2 · 7`; the colours of the picture by their names."""
    return COLOURS[channel] if step == INPUT else f"{step} · {channel}"


def place_name(run: Run, place: CellPlace) -> str:
    """`conv2 · 7 at row 3, column 5`; a number of the head without a place."""
    if place.step == INPUT:
        return f"{COLOURS[place.channel]} at row {place.y}, column {place.x}"
    name = map_name(place.step, place.channel)
    if label := label_of(run, run.model.outline.step(place.step), place.channel):
        name = f"{place.step} · {label}"
    return f"{name} at row {place.y}, column {place.x}" if run.spatial(place.step) else name


def short_name(run: Run, place: CellPlace) -> str:
    """`conv2 · 7 (3, 5)`: row and column in brackets, for lists."""
    name = place_name(run, place)
    return name.replace(" at row ", " (").replace(", column ", ", ") + (
        ")" if " at row " in name else ""
    )


def place_url(view: View, run: Run, place: CellPlace, zoom: Zoom | None = None) -> str:
    """The page with a cell selected, as deep as `zoom` says; "" for the picture."""
    if place.step == INPUT:
        return ""
    y, x = (place.y, place.x) if run.spatial(place.step) else (None, None)
    return view.at(step=place.step, channel=place.channel, y=y, x=x, zoom=zoom)
