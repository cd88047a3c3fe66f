"""The right pane: evidence for a selected step or unit."""

from __future__ import annotations

import json
from urllib.parse import quote

from app.pictures.sheets import SheetLayout, arrange
from app.services.runs.arithmetic import checked_cell, checked_channel, weight_of
from app.services.runs.lines import contributions, source_of
from app.services.runs.run import Run, StepRecord
from app.vision.geometry import Geometry
from app.vision.kernel_preferences import kernel_preferences
from app.vision.statistics import statistics
from app.web.core.links import View, name_of, sheet_url
from app.web.core.templating import milliseconds, number, percent, thousands
from app.web.explorer.contexts import Fact, StepPane, UnitPane
from app.web.explorer.kernel_wall import KernelWall, preference_sentence
from app.web.explorer.zoom_tabs import tabs
from app.web.panels.panel import PanelLink
from app.web.panels.slices import first_slices
from app.web.parts.photo import frame, photo
from app.web.parts.sprites import Tile, box, kernel_sheet, legend
from app.web.parts.step_words import KINDS, STAGES
from app.web.parts.terms import Term
from app.web.parts.unit_names import label_of, map_name
from models.graph import INPUT, Step

TERMS = 6
"""Summands that are listed one by one."""


def step_pane(
    view: View,
    run: Run,
    record: StepRecord,
    panels: tuple[PanelLink, ...] = (),
    wall: KernelWall | None = None,
) -> StepPane:
    """Everything about one step: words, statistics, all channels."""
    step, model = record.step, run.model
    shape = model.geometry[step.name].shape
    order = record.statistics.strongest()
    height, width = shape[1:] if len(shape) == 3 else (1, 1)
    layout = arrange(len(order), height, width)
    sheet = sheet_url(view, model, step.name, channels=f"top{len(order)}")
    return StepPane(
        view=view,
        model=model,
        step=step,
        stage=STAGES[step.stage],
        kind=KINDS[step.kind],
        facts=_step_facts(run, record),
        tiles=_tiles(view, step.name, order, layout),
        sheet=sheet,
        sheet_width=layout.width,
        sheet_height=layout.height,
        legend=legend(view, run, record),
        wall=wall,
        csv=f"{view.run}/steps/{quote(step.name)}.csv",
        png=_download(view, run, step.name, enlarge=max(1, 64 // height)),
        panels=panels,
    )


def unit_pane(
    view: View, run: Run, record: StepRecord, panels: tuple[PanelLink, ...] = ()
) -> UnitPane:
    """Everything about one channel. Raises `UnknownStep` for an unknown channel or cell."""
    step, model = record.step, run.model
    where = model.geometry[step.name]
    channel = checked_channel(record, view.channel or 0)
    values = run.tensor(step.name)[channel]
    grid = values if where.spatial else values.view(1, 1)
    cell = checked_cell(run, record, channel, view.y, view.x)
    order = record.statistics.strongest()
    rank = order.index(channel)
    value = grid[cell].item()
    kernel, kernel_box, kernel_size, kernel_words = _kernel(run, step, channel)
    terms, rest, rest_count, bias = _terms(view, run, record, channel, cell)
    return UnitPane(
        view=view,
        model=model,
        step=step,
        channel=channel,
        label=label_of(run, record.step, channel),
        kind=KINDS[step.kind],
        rank=rank + 1,
        count=len(order),
        facts=_unit_facts(run, record, channel, where),
        previous=_other(view, order[rank - 1]) if rank else "",
        next=_other(view, order[rank + 1]) if rank + 1 < len(order) else "",
        spatial=where.spatial,
        map=sheet_url(view, model, step.name, channels=str(channel)),
        values=f"{view.run}/steps/{quote(step.name)}.npy?channel={channel}",
        shape=(grid.shape[0], grid.shape[1]),
        axes=_axes(where),
        frame=frame(where),
        cell=cell,
        value=value,
        box=where.box(*cell),
        photo=photo(view, run),
        tabs=tabs(view.pinned(cell) if where.spatial else view, where.spatial),
        kernel=kernel,
        kernel_box=kernel_box,
        kernel_size=kernel_size,
        kernel_words=kernel_words,
        slices=first_slices(view, run, step, channel),
        keep=keep if (keep := name_of(view)) != view.kept else "",
        terms=terms,
        rest=rest,
        rest_count=rest_count,
        bias=bias,
        legend=legend(view, run, record, record.statistics.limits[channel].item()),
        panels=panels,
        csv=_table(view, step, channel, bool(label_of(run, record.step, channel))),
        png=_download(view, run, step.name, channel, enlarge=max(1, 256 // grid.shape[0])),
    )


def _tiles(view: View, name: str, order: list[int], layout: SheetLayout) -> tuple[Tile, ...]:
    return tuple(
        Tile(
            channel,
            f"{name}, channel {channel}",
            view.at(step=name, channel=channel, y=None, x=None),
            box(layout, i),
        )
        for i, channel in enumerate(order)
    )


def _kernel(run: Run, step: Step, channel: int) -> tuple[str, str, tuple[int, int], str]:
    """The kernel of a step that reads the picture; empty for others."""
    url, layout = kernel_sheet(run.model, step)
    if not url or step.kernel is None:
        return "", "", (0, 0), ""
    kh, kw = step.kernel
    prefers = preference_sentence(
        kernel_preferences(weight_of(run, step)[channel : channel + 1])[0]
    )
    words = f"Its kernel, {kh}×{kw} in three colours; grey is zero. It prefers {prefers}."
    return url, box(layout, channel), (layout.width, layout.height), words


def _terms(
    view: View, run: Run, record: StepRecord, channel: int, cell: tuple[int, int]
) -> tuple[tuple[Term, ...], float, int, float]:
    made = contributions(run, record, channel, cell)
    if made is None:
        return (), 0.0, 0, 0.0
    source = source_of(run, record.step.name)
    magnitude = made.terms.abs().sum().item() + abs(made.bias) or 1.0
    order = made.terms.abs().argsort(descending=True)
    listed = order[:TERMS].tolist()
    rest = made.value - made.bias - sum(made.terms[i].item() for i in listed)
    return (
        tuple(
            Term(
                i,
                made.terms[i].item(),
                abs(made.terms[i].item()) / magnitude,
                view.at(step=source, channel=i, y=None, x=None) if source else "",
                map_name(source or INPUT, i),
            )
            for i in listed
        ),
        rest if len(order) > len(listed) else 0.0,
        len(order) - len(listed),
        made.bias,
    )


def _axes(where: Geometry) -> str:
    return json.dumps([[a.start, a.jump, a.size, a.last] for a in (where.columns, where.rows)])


def _other(view: View, channel: int) -> str:
    return view.at(channel=channel, y=None, x=None)


def _table(view: View, step: Step, channel: int, is_class: bool) -> str:
    if is_class:
        return f"{view.run}/predictions.csv"
    return f"{view.run}/steps/{quote(step.name)}.csv?channel={channel}"


def _download(view: View, run: Run, step: str, channel: int | None = None, enlarge: int = 1) -> str:
    what = "all" if channel is None else channel
    name = f"{view.model}-{view.image[:12]}-{step}-{what}.png"
    channels = "" if channel is None else str(channel)
    enlarge = min(32, enlarge)
    return sheet_url(view, run.model, step, channels=channels, enlarge=enlarge, download=name)


def _step_facts(run: Run, record: StepRecord) -> tuple[Fact, ...]:
    step, figures = record.step, record.statistics
    where = run.model.geometry[step.name]
    facts = [Fact("Output", " × ".join(map(str, where.shape)), "maps × rows × columns")]
    if step.kernel and step.stride and step.padding:
        facts += [
            Fact("Window", "{}×{}".format(*step.kernel)),
            Fact("Stride, padding", f"{step.stride[0]}, {step.padding[0]}", "in cells"),
        ]
    side = min(where.receptive_field, run.model.outline.input_size)
    sees = f"{where.receptive_field}×{where.receptive_field} pixels"
    whole = where.receptive_field >= run.model.outline.input_size
    if where.spatial and side < where.receptive_field:
        sees += " (more than all)"
    facts += [
        Fact(
            "A cell sees",
            sees if where.spatial or not whole else "everything",
            "its receptive field",
        ),
        Fact("Lowest, highest", f"{number(figures.min)}, {number(figures.max)}"),
        Fact("Mean", number(figures.mean)),
        Fact("Exactly zero", percent(figures.zeros), "share of all values"),
        Fact("Time", _time(record)),
    ]
    if parameters := sum(p.numel() for p in run.model.outline.module(step.name).parameters()):
        facts.insert(1, Fact("Weights", thousands(parameters), "numbers learned in training"))
    return tuple(facts)


def _unit_facts(run: Run, record: StepRecord, channel: int, where: Geometry) -> tuple[Fact, ...]:
    values = run.tensor(record.step.name)[channel]
    if not where.spatial:
        return _number_facts(run, record, channel)
    figures = statistics(values[None, None])[0]
    return (
        Fact("Lowest, highest", f"{number(figures.min)}, {number(figures.max)}"),
        Fact("Mean", number(figures.mean)),
        Fact("Exactly zero", percent(figures.zeros)),
    )


def _number_facts(run: Run, record: StepRecord, channel: int) -> tuple[Fact, ...]:
    """Statistics of a single number; for a class, the softmax of its logit."""
    if not label_of(run, record.step, channel):
        return (Fact("Value", number(run.tensor(record.step.name)[channel].item())),)
    facts = [Fact("Logit", number(run.tensor(run.model.outline.logits)[channel].item()))]
    if record.step.kind == "softmax":
        share = run.tensor(record.step.name)[channel].item()
        facts.append(Fact("Probability", percent(share), "its share of all classes"))
    label = run.model.labels[channel]
    return (*facts, Fact("In full", label.synset), Fact("WordNet id", label.wnid))


def _time(record: StepRecord) -> str:
    text = f"{milliseconds(record.milliseconds)} ms"
    return f"{text} for {record.batch} pictures together" if record.batch > 1 else text
