"""API routes that explain one cell: its arithmetic, and the chain of cells that made it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from torch import Tensor

from app.errors import BadRequest
from app.services.runs.arithmetic import chained, checked_cell, checked_channel, explained
from app.services.runs.run import Run, StepRecord
from app.vision.arithmetic.chain import CellPlace, ChainStep
from app.vision.arithmetic.convolution import ConvCell
from app.vision.arithmetic.explain import Cell
from app.vision.arithmetic.pointwise import CopyCell, NormCell, ReluCell
from app.vision.arithmetic.pooling import MeanCell, PoolCell
from app.vision.arithmetic.voting import ShareCell, VoteCell
from app.web.api import explain_schemas as answers
from app.web.api.explain_rows import term_rows
from app.web.api.images import ImageId
from app.web.api.models import ModelId, StepName
from app.web.api.schemas import ERRORS
from app.web.core.file_responses import Csv, csv_response
from app.web.core.state import ServicesDep
from app.web.core.work import WorkDep

router = APIRouter(prefix="/runs/{model}/{image}/steps/{step}", tags=["runs"], responses=ERRORS)

Unit = Annotated[int, Query(ge=0, description="Channel; the index from flatten on.")]
Row = Annotated[int | None, Query(ge=0, description="Row; by default that of the strongest cell.")]
Column = Annotated[int | None, Query(ge=0, description="Column.")]


@dataclass(frozen=True, slots=True)
class CellQuery:
    """A validated cell of a run, which is kept in memory while the request is handled."""

    run: Run
    record: StepRecord
    channel: int
    cell: tuple[int, int]


async def cell_query(
    model: ModelId,
    image: ImageId,
    step: StepName,
    services: ServicesDep,
    channel: Unit,
    y: Row = None,
    x: Column = None,
) -> AsyncIterator[CellQuery]:
    """The cell that a request names: waits for the run and validates."""
    async with services.runs.listen(model, image) as run:
        record = await run.record(step)
        cell = checked_cell(run, record, checked_channel(record, channel), y, x)
        yield CellQuery(run, record, channel, cell)


CellQueryDep = Annotated[CellQuery, Depends(cell_query)]


@router.get("/explain", summary="The arithmetic of one cell")
async def explain_cell(
    query: CellQueryDep,
    side: WorkDep,
    top: Annotated[
        int, Query(ge=1, le=10_000, description="Number of terms listed for a vote or a softmax.")
    ] = 10,
) -> answers.Explanation:
    """The inputs and the output: the terms add up to the float in the tensor."""
    return await side(explanation, query, top)


@router.get("/chain", summary="From a cell down to the photo")
async def cell_chain(
    query: CellQueryDep,
    side: WorkDep,
    path: Annotated[
        str, Query(description="Part to follow at each sum: `0,2,1`.", max_length=200)
    ] = "",
) -> list[answers.ChainLink]:
    """Each link is a sum, and the next link explains the chosen part, by default the first."""
    links = await side(chained, query.run, query.record, query.channel, query.cell, choices(path))
    return [_link(query.run, link) for link in links]


@router.get("/explain.csv", response_class=Csv, summary="The terms of one cell as a table")
async def explain_csv(query: CellQueryDep, side: WorkDep) -> Response:
    """Every input number, its weight and their product; the numbers of a window."""
    made = await side(explained, query.run, query.record, query.channel, query.cell)
    run, step = query.run, query.record.step.name
    names = (run.model.id, run.image, step, query.channel, *query.cell)
    return csv_response(*term_rows(made), "-".join(map(str, names)) + ".csv")


def choices(path: str) -> list[int]:
    """Parse `0,2,1`. Raises `BadRequest` for anything else."""
    if not path:
        return []
    if not all(one.isdecimal() and len(one) < 4 for one in path.split(",")):
        raise BadRequest("A path is numbers with commas: 0,2 follows the first, then the third.")
    return [int(one) for one in path.split(",")]


def explanation(query: CellQuery, top: int) -> answers.Explanation:
    """The arithmetic of a cell as the API returns it."""
    run, record, channel, cell = query.run, query.record, query.channel, query.cell
    made = explained(run, record, channel, cell)
    common: dict[str, Any] = {
        "step": record.step.name,
        "channel": channel,
        "y": cell[0],
        "x": cell[1],
        "value": made.value,
        **_sum(made),
    }
    match made:
        case ConvCell():
            return answers.ConvExplained(
                **common,
                patch=_nine_digits(made.patch).tolist(),
                kernel=_nine_digits(made.kernel).tolist(),
                sums=made.terms.tolist(),
                bias=made.bias,
                rows=list(made.rows),
                columns=list(made.columns),
            )
        case ReluCell():
            return answers.ReluExplained(
                **common,
                window=[[made.given]],
                winner=list(cell) if made.given > 0 else None,
                cut=made.cut,
                zeros=made.zeros,
                count=made.count,
                layer_zeros=made.layer_zeros,
            )
        case PoolCell():
            return answers.PoolExplained(
                **common,
                window=made.numbers,
                winner=list(made.winner),
                ties=made.ties,
                wins=made.wins,
                rows=list(made.rows),
                columns=list(made.columns),
            )
        case MeanCell():
            return answers.MeanExplained(**common, window=made.grid.tolist(), count=made.count)
        case NormCell():
            return answers.NormExplained(
                **common,
                given=made.given,
                mean=made.mean,
                variance=made.variance,
                epsilon=made.epsilon,
                scale=made.scale,
                shift=made.shift,
            )
        case CopyCell():
            source = answers.SourceCell(step=made.source, channel=made.channel, y=made.y, x=made.x)
            return answers.CopyExplained(**common, kind=record.step.kind, source=source)  # type: ignore[arg-type]
        case VoteCell():
            return _vote(made, common, top)
        case ShareCell():
            return _share(run, made, common, top)


def _nine_digits(values: Tensor) -> Tensor:
    """Values rounded to nine significant digits: enough to identify a float32, half the size."""
    power = 8 - values.abs().clamp_min(1e-30).log10().floor()
    scale = torch.pow(10.0, power)
    return (values * scale).round() / scale


def _sum(cell: Cell) -> dict[str, float]:
    if isinstance(cell, ReluCell | PoolCell | CopyCell):
        return {}
    total = cell.total
    return {
        "total": total,
        "difference": cell.value - total,
        "magnitude": cell.magnitude,
    }


def _vote(cell: VoteCell, common: dict[str, Any], top: int) -> answers.VoteExplained:
    products = cell.products
    listed = cell.strongest(top, 1) + cell.strongest(top, -1)[::-1]
    terms = [
        answers.VoteTerm(
            index=i,
            input=float(cell.inputs[i]),
            weight=float(cell.weights[i]),
            product=float(products[i]),
        )
        for i in listed
    ]
    rest = float(products.sum()) - sum(term.product for term in terms)
    return answers.VoteExplained(
        **common, terms=terms, rest=rest, others=len(products) - len(terms), bias=cell.bias
    )


def _share(run: Run, cell: ShareCell, common: dict[str, Any], top: int) -> answers.ShareExplained:
    labels, exponentials = run.model.labels, cell.exponentials
    denominator = cell.denominator
    terms = [
        answers.ShareTerm(
            index=one.index,
            label=labels[one.index].label,
            logit=one.logit,
            exponential=float(exponentials[one.index]),
            probability=float(exponentials[one.index]) / denominator,
        )
        for one in run.predictions(top)
    ]
    return answers.ShareExplained(
        **common,
        logit=cell.logit,
        peak=cell.peak,
        denominator=denominator,
        terms=terms,
        rest=denominator - sum(term.exponential for term in terms),
        others=len(exponentials) - len(terms),
    )


def _link(run: Run, link: ChainStep) -> answers.ChainLink:
    box = run.model.geometry[link.place.step].box(link.place.y, link.place.x)
    return answers.ChainLink(
        cell=_source(link.place),
        kind=link.kind,
        value=link.value,
        bias=link.bias,
        parts=[
            answers.ChainPart(
                source=_source(one.place),
                value=one.value,
                weight=one.weight,
                term=one.term,
                share=one.share,
            )
            for one in link.parts
        ],
        rest=link.rest,
        others=link.others,
        chosen=link.chosen,
        box=[box.left, box.top, box.right, box.bottom],
    )


def _source(place: CellPlace) -> answers.SourceCell:
    return answers.SourceCell(step=place.step, channel=place.channel, y=place.y, x=place.x)
