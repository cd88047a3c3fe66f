"""Panel: what in the picture drives a unit, by four saliency methods side by side."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.runs.projections import METHODS, Method, maps_before
from app.services.runs.run import Run, StepRecord
from app.services.runs.sheets import version
from app.vision.units import before_relu
from app.web.core.links import View, name_of, projection_url
from app.web.panels.panel import UnitPanel, of_units
from app.web.parts.contexts import helped
from app.web.parts.photo import PhotoOverlay, frame, photo

WORDS: dict[Method, tuple[str, str]] = {
    "gradient": (
        "Gradient",
        "Which pixels, changed a little, would change it most (Simonyan and others 2013).",
    ),
    "guided": (
        "Guided backprop",
        "The gradient; at every ReLU only what raises it is kept (Springenberg and others 2014). "
        "Clear, because it follows edges of the picture.",
    ),
    "deconvolution": (
        "Deconvolution",
        "The projection that Zeiler and Fergus used in 2013.",
    ),
    "grad_cam": (
        "Grad-CAM",
        "Where the maps before it raise its value, warm, or lower it, cool (Selvaraju and "
        "others 2016).",
    ),
}


@dataclass(frozen=True, slots=True)
class Projection:
    """One method's picture."""

    title: str
    sentence: str  # what it shows, and who found it
    url: str  # of its picture
    frame: tuple[float, float, float, float] | None  # place of maps on the input; None for pixels


@dataclass(frozen=True, slots=True)
class ProjectionsPanel:
    """All methods for one unit."""

    asked: str = helped("The projected cell or map, in words.")
    images: tuple[Projection, ...] = helped("One for each method.")
    photo: PhotoOverlay = helped("The photo under Grad-CAM.")
    size: int = helped("Side of the network's input, pixels.")
    keep: str = helped("The unit as a link keeps it.")
    keep_url: str = helped("The page with it kept.")


def projections(view: View, run: Run, record: StepRecord) -> ProjectionsPanel:
    """The projections of the pinned cell, or of the whole map."""
    model, step = run.model, record.step
    name = before_relu(run.network, step.name)
    at = maps_before(run, name)
    pinned = view.y is not None and view.x is not None and run.spatial(name)
    cell = {"y": view.y, "x": view.x} if pinned else {}

    def url(method: Method) -> str:
        query = {"method": method, "channel": view.channel or 0, **cell, "v": version(model.row)}
        return projection_url(view, step.name, query)

    return ProjectionsPanel(
        asked=_asked(view, run, name, pinned),
        images=tuple(
            Projection(
                *WORDS[method],
                url(method),
                frame(model.geometry[at]) if at and method == "grad_cam" else None,
            )
            for method in METHODS
            if at or method != "grad_cam"
        ),
        photo=photo(view, run),
        size=model.outline.input_size,
        keep=name_of(view),
        keep_url=view.url(kept=name_of(view)),
    )


def _asked(view: View, run: Run, name: str, pinned: bool) -> str:
    if pinned:
        return f"Computed for {name}, map {view.channel}, at row {view.y}, column {view.x}."
    if run.spatial(name):
        return f"Computed for the mean of {name}, map {view.channel}. Pin a cell to use it alone."
    return f"Computed for {name}, number {view.channel}."


PANEL = UnitPanel(
    "projections",
    "What in the picture drives it",
    of_units(lambda model, step: step.kind not in ("flatten", "softmax")),
    "partials/_projections.html",
    projections,
)
