"""Panel: how much each place of the picture contributed to the logit of a class (CAM)."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.networks.catalogue import Model
from app.services.runs.arithmetic import contributions_to_class
from app.services.runs.run import Run, StepRecord
from app.services.runs.sheets import version
from app.vision.arithmetic.chain import CellPlace
from app.vision.arithmetic.pointwise import unflattened
from app.web.core.links import View
from app.web.panels.panel import UnitPanel, of_units
from app.web.parts.contexts import helped
from app.web.parts.photo import PhotoOverlay, frame, photo
from app.web.parts.terms import Term
from app.web.parts.unit_names import place_url, short_name
from models.graph import Step

CELLS = 8
"""Cells with the largest contributions that are listed."""


@dataclass(frozen=True, slots=True)
class ContributionsPanel:
    """Contributions of the cells of the last maps to a class's logit."""

    label: str = helped("The class.")
    step: str = helped("The step with those maps.")
    image: str = helped("URL of a picture of the contributions.")
    frame: tuple[float, float, float, float] = helped("Its place on the input: x, y, w, h.")
    photo: PhotoOverlay = helped("The photo under it.")
    limit: float = helped("The magnitude at which colours end.")
    cells: tuple[Term, ...] = helped("The cells with the largest contributions.")
    rest: float = helped("Sum of all other cells.")
    others: int = helped("Number of the other cells.")
    bias: float = helped("Sum of the biases.")
    logit: float = helped("The logit.")


def contributions(view: View, run: Run, record: StepRecord) -> ContributionsPanel:
    """The contributions of the cells of the last maps to the logit of a class."""
    index = view.channel or 0
    made = contributions_to_class(run, index)
    terms, magnitude = made.terms.flatten(), made.magnitude or 1.0
    order = terms.argsort(descending=True, stable=True)[:CELLS].tolist()

    def cell(i: int) -> Term:
        place = CellPlace(made.step, *unflattened(made.terms.shape, i))
        value = float(terms[i])
        url = place_url(view, run, place, zoom="chain")
        return Term(i, value, abs(value) / magnitude, url, short_name(run, place))

    cells = tuple(cell(i) for i in order)
    return ContributionsPanel(
        step=made.step,
        label=run.model.labels[index].label,
        image=f"{view.run}/paid.png?channel={index}&v={version(run.model.row)}",
        frame=frame(run.model.geometry[made.step]),
        photo=photo(view, run),
        limit=float(made.map.abs().max()),
        cells=cells,
        rest=float(terms.sum()) - sum(one.value for one in cells),
        others=len(terms) - len(cells),
        bias=made.bias,
        logit=made.value,
    )


def _is_score(model: Model, step: Step) -> bool:
    logits = model.outline.logits
    return bool(logits) and (step.name == logits or step.kind == "softmax")


PANEL = UnitPanel(
    "paid",
    "Which places of the picture made this score",
    of_units(_is_score),
    "partials/arithmetic/_paid.html",
    contributions,
)
