"""Panel of ablation: channels of a layer switched off, ranked by how much a class drops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.pictures.figures import figures_png
from app.pictures.sheets import arrange
from app.services.interventions.ablation import ChannelSwitch, is_cheap
from app.services.interventions.results import AblationRanking, By
from app.services.runs.run import Run
from app.services.runs.sheets import version
from app.vision.cover import StepChange
from app.vision.partial_forward import side_inputs
from app.web.core.base_path import base
from app.web.core.links import sheet_url
from app.web.core.templating import number, percent, relative_percent
from app.web.parts.class_changes import ClassChanges, class_changes, why_no_classes
from app.web.parts.contexts import helped
from app.web.parts.sprites import Legend, box, legend
from app.web.parts.unit_query import UnitQuery


@dataclass(frozen=True, slots=True)
class TickTile:
    """A map with a checkbox."""

    channel: int
    box: str  # its part of the sheet, as an SVG viewBox
    ticked: bool


@dataclass(frozen=True, slots=True)
class MovedMap:
    """A map of the last step of a network without classes, and its relative change."""

    channel: int
    before: float  # its mean
    after: float  # its mean
    moved: float  # relative change


@dataclass(frozen=True, slots=True)
class AblationResult:
    """The effect of switching channels off."""

    sentence: str  # the channels that are off, in words
    address: str  # the query string of the panel for the page's URL
    classes: ClassChanges | None
    nothing: str  # the prediction with the whole layer off
    why: str  # why there are no classes; "" if there are
    last: str  # name of the last step, if that is what is compared
    moved: tuple[MovedMap, ...]  # its maps with the largest change
    hidden: dict[str, Any]  # the unit and the switches as fields of a form
    links: str  # the panel's URL up to the queried class
    png: str  # URL of the result as a picture
    csv: str  # URL of the result as a table


@dataclass(frozen=True, slots=True)
class RankRow:
    """One channel of the ranking."""

    channel: int
    set: str  # what selecting it changes in the page's URL
    url: str
    cost: str  # the drop without it, in words
    share: float  # length of its bar, 0..1
    helps: bool  # whether the class drops without it


@dataclass(frozen=True, slots=True)
class RankPanel:
    """The channels ranked by the drop without them."""

    title: str
    rows: tuple[RankRow, ...]  # those with the largest drop
    harmful: tuple[RankRow, ...]  # those without which the class rises
    done: int  # channels that are computed
    count: int  # channels of the step
    finished: bool
    by: By
    bys: tuple[tuple[By, str, str], ...]  # to choose from: value, words, URL
    sentence: str
    csv: str


@dataclass(frozen=True, slots=True)
class AblationPanel:
    """The switches, their effect, the ranking."""

    step: str = helped("Name of the step.")
    channel: int = helped("The selected channel.")
    title: str = helped("The unit in words.")
    spatial: bool = helped("Whether channels are maps.")
    tiles: tuple[TickTile, ...] = helped("The channels with checkboxes, strongest first.")
    count: int = helped("Channels of the step.")
    sheet: str = helped("URL of the sheet of all channels shown.")
    size: tuple[int, int] = helped("Its width and height, pixels.")
    legend: Legend = helped("How to read the maps.")
    only: bool = helped("Whether only the ticked ones are on.")
    all: bool = helped("Whether all are off.")
    ticked: bool = helped("Whether channels are named one by one.")
    quick: tuple[tuple[str, str, bool], ...] = helped(
        "Shortcuts: words, URL, whether it is the current state."
    )
    fields: dict[str, Any] = helped("The unit as fields of a form.")
    hidden: str = helped("Ticked channels that are not shown, separated by commas.")
    result: AblationResult = helped("The effect of switching channels off.")
    ranks: bool = helped("Whether there is a class to rank for.")
    rank_url: str = helped("URL of the ranking.")
    rank_label: str = helped("The class it is for.")
    at_once: bool = helped("Whether the ranking is computed without a request.")


TILES = 400
"""Maps with checkboxes; of more, the strongest."""

NUMBERS = 64
"""Fewer for vectors: each number takes as much space as a map."""

SHOWN, HELPED = 12, 4
"""Listed channels with the largest drop, and with the largest rise."""

MOVED = 5

BY_WORDS: tuple[tuple[By, str], ...] = (("logits", "Score"), ("probabilities", "Probability"))


def ablation_panel(
    unit: UnitQuery, switch: ChannelSwitch, changes: list[StepChange], by: By
) -> AblationPanel:
    """The whole panel; for `changes` see `cut_result`."""
    run, record = unit.run, unit.record
    name = record.step.name
    spatial, count = run.spatial(name), len(record.statistics.peaks)
    shown = min(count, TILES if spatial else NUMBERS)
    order = record.statistics.strongest(shown)
    shape = run.model.geometry[name].shape
    height, width = shape[1:] if len(shape) == 3 else (1, 1)
    layout = arrange(shown, height, width)
    ticked = set(switch.channels)
    label = run.model.labels[unit.index].label if unit.index is not None else ""
    return AblationPanel(
        step=name,
        channel=unit.channel,
        title=unit.title,
        spatial=spatial,
        tiles=tuple(TickTile(c, box(layout, i), c in ticked) for i, c in enumerate(order)),
        count=count,
        sheet=sheet_url(unit.view, run.model, name, channels=f"top{shown}"),
        size=(layout.width, layout.height),
        legend=legend(unit.view, run, record),
        only=switch.only,
        all=switch.all,
        ticked=bool(switch.channels),
        quick=quick(unit, switch),
        fields={**unit.names, **unit.class_field},
        hidden=",".join(str(c) for c in switch.channels if c not in order),
        result=ablation_result(unit, switch, changes),
        ranks=unit.index is not None,
        rank_url=f"{base()}/cut/ablation/ranking?{unit.query(by=by)}",
        rank_label=label,
        at_once=is_cheap(run.model),
    )


def named(switch: ChannelSwitch) -> dict[str, str]:
    """A switch as query fields."""
    text = "all" if switch.all else ",".join(map(str, switch.channels))
    return {"off": "" if switch.only else text, "only": text if switch.only else ""}


def ablation_result(
    unit: UnitQuery, switch: ChannelSwitch, changes: list[StepChange]
) -> AblationResult:
    """The effect of switching channels off; `changes`: with the switch, with all off."""
    run, made = unit.run, named(switch)
    now, nothing = changes
    found = class_changes(run, now, unit.index) if unit.index is not None else None
    query = unit.query(**made)
    return AblationResult(
        sentence=sentence(unit, switch),
        address=unit.address(**made),
        hidden={**unit.names, **made},
        classes=found,
        nothing=_nothing(unit, nothing),
        why=why_no_classes(run),
        last="" if found else now.step,
        moved=() if found else _moved(now),
        links=f"{base()}/cut/ablation?{query}",
        png=f"{base()}/cut/ablation.png?{query}",
        csv=f"{base()}/cut/ablation.csv?{query}",
    )


def sentence(unit: UnitQuery, switch: ChannelSwitch) -> str:
    """The channels that are off, in words."""
    count = len(unit.record.statistics.peaks)
    off, name = len(switch.off(count)), unit.record.step.name
    if switch.idle:
        return f"All {count} channels of {name} are on."
    if switch.all or off == count:
        return f"Nothing from {name} is passed on: all {count} channels are off."
    few = ", ".join(map(str, switch.channels[:8])) + (" …" if len(switch.channels) > 8 else "")
    if switch.only:
        return f"Of {name} only {few} {'is' if len(switch.channels) == 1 else 'are'} on; {off} off."
    return f"Off: {few} ({off} of {count} channels of {name})."


def rank_panel(unit: UnitQuery, ranking: AblationRanking, by: By) -> RankPanel:
    """The ranking as far as it is computed."""
    drops = getattr(ranking, by)
    order = ranking.order(by)
    limit = max((abs(drops[c].item()) for c in order), default=0.0)
    label = unit.run.model.labels[unit.index or 0].label
    text = number if by == "logits" else _points

    def row(channel: int) -> RankRow:
        drop = drops[channel].item()
        name = unit.record.step.name
        return RankRow(
            channel,
            f"step={name}&channel={channel}&y=&x=",
            unit.view.at(step=name, channel=channel, y=None, x=None),
            text(drop),
            abs(drop) / limit if limit else 0.0,
            drop >= 0,
        )

    helped_by = [c for c in reversed(order) if drops[c] < 0][:HELPED]
    files = f"{unit.view.run}/steps/{quote(unit.record.step.name)}/ablation/ranking.csv"
    return RankPanel(
        title=f"{dict(BY_WORDS)[by].lower()} of {label}",
        rows=tuple(row(c) for c in order[:SHOWN] if drops[c] >= 0),
        harmful=tuple(map(row, helped_by)),
        done=ranking.done,
        count=len(drops),
        finished=ranking.finished,
        by=by,
        bys=tuple(
            (one, words, f"{base()}/cut/ablation/ranking?{unit.query(by=one)}&start=true")
            for one, words in BY_WORDS
        ),
        sentence=ranking_words(ranking, by, order, text) if ranking.finished else "",
        csv=f"{files}?class={unit.index}&v={version(unit.run.model.row)}",
    )


def table_rows(run: Run, change: StepChange) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Header and rows: all classes before and after, or the last step's channels."""
    if not run.model.labels:
        moved = change.relative.tolist()
        means = (_means(change.before).tolist(), _means(change.after).tolist())
        rows = list(enumerate(zip(*means, moved, strict=True)))
        figures = ("channel", "mean before", "mean now", "relative change")
        return figures, [(c, *one) for c, one in rows]
    before, after = change.before.softmax(0).tolist(), change.after.softmax(0).tolist()
    scores = change.before.tolist(), change.after.tolist()
    head = ("index", "label", "probability before", "now", "change", "logit before", "logit now")
    return head, [
        (one.index, one.label, a, b, b - a, scores[0][one.index], scores[1][one.index])
        for one, a, b in zip(run.model.labels, before, after, strict=True)
    ]


def picture(unit: UnitQuery, switch: ChannelSwitch, changes: list[StepChange]) -> bytes:
    """The effect of switching channels off as a picture for download."""
    made = ablation_result(unit, switch, changes)
    lines = [made.sentence]
    if made.classes:
        lines.append(made.classes.sentence)
        lines += [
            f"{r.label}: {percent(r.before)} before, {percent(r.after)} now ({r.points} points)"
            for r in made.classes.rows
        ]
        lines.append(made.nothing)
    lines += [
        f"{made.last}, map {m.channel} changed by {relative_percent(m.moved)}" for m in made.moved
    ]
    title = f"{unit.run.model.row.title}: channels of {unit.record.step.name} switched off"
    return figures_png(title, (), lines)


def quick(unit: UnitQuery, switch: ChannelSwitch) -> tuple[tuple[str, str, bool], ...]:
    """The most common switches: words, URL, whether it is the current state."""
    one = (unit.channel,)
    kind = "map" if unit.run.spatial(unit.record.step.name) else "number"
    choices = (
        ("All on", ChannelSwitch()),
        (f"Only {kind} {unit.channel} off", ChannelSwitch(one)),
        (f"Only {kind} {unit.channel} on", ChannelSwitch(one, only=True)),
        ("All off", ChannelSwitch(all=True)),
    )
    return tuple(
        (words, f"{base()}/cut/ablation?{unit.query(**named(one))}", one == switch)
        for words, one in choices
    )


def _nothing(unit: UnitQuery, nothing: StepChange) -> str:
    if unit.index is None:
        return ""
    made = class_changes(unit.run, nothing, unit.index)
    name, outline = unit.record.step.name, unit.run.model.outline
    also = side_inputs(outline, name, [outline.logits])
    told = (
        f"What goes past it, through {also[0]}, still counts."
        if also
        else "The later biases alone say that, for any picture."
    )
    return (
        f"For comparison, with nothing from {name}: {made.after.label}, "
        f"{percent(made.after.after)}; {made.asked.label} {percent(made.asked.after)}. {told}"
    )


def _moved(change: StepChange) -> tuple[MovedMap, ...]:
    moved = change.relative
    order = moved.argsort(descending=True, stable=True)[:MOVED].tolist()
    before, after = _means(change.before), _means(change.after)
    return tuple(
        MovedMap(c, before[c].item(), after[c].item(), moved[c].item()) for c in order if moved[c]
    )


def _means(output: Any) -> Any:
    return output.flatten(1).mean(1) if output.ndim > 1 else output


def ranking_words(ranking: AblationRanking, by: By, order: list[int], text: Any) -> str:
    """The finished ranking in words: what the costliest channel costs, and how few cost as much."""
    drops = getattr(ranking, by)
    first = order[0]
    most = drops[first].item()
    if most <= 0:
        return f"Whichever of the {len(drops)} channels is off, it does not drop."
    small = int((drops.abs() < most / 10).sum())
    return (
        f"Channel {first} costs most: without it {text(most)} less. {small} of {len(drops)} make "
        "less than a tenth of that difference."
    )


def _points(value: float) -> str:
    return f"{100 * value:.2f} points".replace("-", "−")
