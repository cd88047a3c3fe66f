"""The arithmetic pane of the selected cell, with the context of its kind of step."""

from __future__ import annotations

from app.services.runs.arithmetic import checked_cell, checked_channel, explained
from app.services.runs.run import Run, StepRecord
from app.vision.arithmetic.chain import CellPlace
from app.vision.arithmetic.convolution import ConvCell
from app.vision.arithmetic.explain import Cell
from app.vision.arithmetic.pointwise import CopyCell, NormCell, ReluCell
from app.vision.arithmetic.pooling import MeanCell, PoolCell
from app.vision.arithmetic.voting import ShareCell, VoteCell
from app.web.core.base_path import base
from app.web.core.links import View, step_url
from app.web.core.templating import exact
from app.web.explorer.arithmetic import chain, formulas, head, windows
from app.web.explorer.arithmetic.contexts import ArithmeticPane, Check
from app.web.explorer.zoom_tabs import tabs
from app.web.panels.panel import PanelLink
from app.web.parts.step_words import KINDS
from app.web.parts.unit_names import label_of

Made = tuple[str, object, str]
"""A template, its context, and the cell in one sentence."""


def arithmetic_pane(
    view: View, run: Run, record: StepRecord, panels: tuple[PanelLink, ...] = ()
) -> ArithmeticPane:
    """The pane “Arithmetic” or “Where from”. Raises `UnknownStep`, `BadRequest`."""
    channel = checked_channel(record, view.channel or 0)
    cell = checked_cell(run, record, channel, view.y, view.x)
    # From here on every link names the cell, even if the strongest was meant by default.
    place = CellPlace(record.step.name, channel, *cell)
    spatial = run.spatial(record.step.name)
    if spatial:
        view = view.pinned(cell)
    named = {"channel": channel, **({"y": cell[0], "x": cell[1]} if spatial else {})}
    made = explained(run, record, channel, cell)
    template, body, say = _made(view, run, record, place, made)
    return ArithmeticPane(
        view=view,
        step=record.step,
        channel=channel,
        label=label_of(run, record.step, channel),
        spatial=spatial,
        cell=cell,
        value=made.value,
        kind=KINDS[record.step.kind],
        tabs=tabs(view, spatial),
        say=say,
        check=_check(made),
        panels=panels,
        json=step_url(view, record.step.name, "/explain", named),
        csv=step_url(view, record.step.name, "/explain.csv", named),
        png=f"{base()}/deep.png?{view.query(scale='unit')}",
        explained=made,
        template=f"partials/arithmetic/{template}",
        made=body,
    )


def _made(view: View, run: Run, record: StepRecord, place: CellPlace, cell: Cell) -> Made:
    if view.zoom == "chain":
        return chain.chain_made(view, run, record, place)
    match cell:
        case ConvCell():
            return windows.conv_made(view, run, record, place, cell)
        case PoolCell():
            return windows.pool_made(view, run, record, place, cell)
        case ReluCell():
            return formulas.relu_made(view, run, record, place, cell)
        case NormCell():
            return formulas.norm_made(view, run, record, place, cell)
        case CopyCell():
            return formulas.copy_made(view, run, record, place, cell)
        case MeanCell():
            return formulas.mean_made(view, run, record, place, cell)
        case VoteCell():
            return head.vote_made(view, run, record, place, cell)
        case ShareCell():
            return head.share_made(view, run, record, place, cell)


def _check(cell: Cell) -> Check | None:
    if isinstance(cell, ReluCell | PoolCell | CopyCell):
        return None
    return Check(exact(cell.total), exact(cell.value), exact(cell.value - cell.total, 2))
