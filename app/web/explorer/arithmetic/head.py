"""The arithmetic of the network's head: fully connected layers as votes, and softmax."""

from __future__ import annotations

from app.services.runs.run import Run, StepRecord
from app.vision.arithmetic.chain import CellPlace
from app.vision.arithmetic.pointwise import unflattened
from app.vision.arithmetic.voting import ShareCell, VoteCell
from app.web.core.links import View
from app.web.core.templating import number, percent
from app.web.explorer.arithmetic.contexts import ShareMade, ShareTermMade, VoteMade
from app.web.parts.terms import Term
from app.web.parts.unit_names import place_name, place_url, short_name

EACH = 6
"""Terms listed on each side of a vote."""

CLASSES = 8
"""Terms of softmax's denominator that are listed."""


def vote_made(
    view: View, run: Run, record: StepRecord, place: CellPlace, cell: VoteCell
) -> tuple[str, VoteMade, str]:
    """The largest positive and negative terms, and the sum of the others."""
    magnitude, before = cell.magnitude or 1.0, record.step.inputs[0]
    products = cell.products

    def term(i: int) -> Term:
        value, voter = float(products[i]), _voter(run, before, i)
        share = abs(value) / magnitude
        url = place_url(view, run, voter, zoom="arithmetic")
        inputs, weight = number(float(cell.inputs[i])), number(float(cell.weights[i]))
        return Term(i, value, share, url, short_name(run, voter), f"{inputs} × {weight}")

    pro = tuple(term(i) for i in cell.strongest(EACH, 1))
    contra = tuple(term(i) for i in cell.strongest(EACH, -1))
    listed = sum(one.value for one in (*pro, *contra))
    made = VoteMade(
        pro,
        contra,
        float(products.sum()) - listed,
        len(products) - len(pro) - len(contra),
        cell.bias,
    )
    most = f" The most is added by {pro[0].name}: {number(pro[0].value)}." if pro else ""
    return (
        "_vote.html",
        made,
        (
            f"{place_name(run, place)} is {number(cell.value)}: {len(products)} numbers, each with "
            f"its own weight, and the bias {number(cell.bias)}.{most}"
        ),
    )


def _voter(run: Run, before: str, index: int) -> CellPlace:
    """The cell of an input number: for a flattening, the cell of the maps before."""
    step = run.model.outline.step(before)
    if step.kind != "flatten":
        return CellPlace(before, index)
    source = step.inputs[0]
    return CellPlace(source, *unflattened(run.model.geometry[source].shape, index))


def share_made(
    view: View, run: Run, record: StepRecord, place: CellPlace, cell: ShareCell
) -> tuple[str, ShareMade, str]:
    """The softmax formula with the actual logits."""
    labels, denominator = run.model.labels, cell.denominator

    def term(index: int, logit: float) -> ShareTermMade:
        exponential = float(cell.exponentials[index])
        url = place_url(view, run, CellPlace(record.step.name, index), zoom="arithmetic")
        share = exponential / denominator
        return ShareTermMade(index, labels[index].label, logit, exponential, share, url)

    terms = tuple(term(one.index, one.logit) for one in run.predictions(CLASSES))
    here = term(place.channel, cell.logit)
    listed = terms if here in terms else (*terms, here)
    made = ShareMade(
        terms=listed,
        here=here,
        rest=denominator - sum(one.exponential for one in listed),
        others=len(labels) - len(listed),
        denominator=denominator,
        peak=cell.peak,
    )
    return (
        "_share.html",
        made,
        (
            f"{here.label}: a score of {number(cell.logit)} among {len(labels)} classes makes a "
            f"share of {percent(cell.value)}."
        ),
    )
