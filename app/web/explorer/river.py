"""The centre pane: five stages and the head, a card for each step."""

from __future__ import annotations

import json

from app.pictures.sheets import arrange
from app.services.attacks.unusual import read_run
from app.services.networks.calibration import calibration
from app.services.networks.catalogue import Model
from app.services.runs.lines import lines, source_of
from app.services.runs.run import Run, StepRecord
from app.web.api.runs import predictions
from app.web.core.links import View, sheet_url
from app.web.core.templating import number
from app.web.explorer.contexts import Card, ClassBar, River, Stage
from app.web.parts.sprites import SCALE_WORDS, Tile, box, kernel_sheet, legend
from app.web.parts.step_words import STAGES
from app.web.parts.unusual_words import beaten_percent
from models.graph import Step

ASK = "How usual is this picture?"


def usual(run: Run, step: Step) -> str:
    """`More unusual than 97 % of photos` at the step of the classes, if that is rare.

    Else, and where it is unknown, a question: of all usual photos one is odder than most.
    """
    if step.kind != "softmax":
        return ""
    found = calibration(run.model)
    read = read_run(run, found) if found else ()
    if not (read and read[0].rare):
        return ASK
    return f"More unusual than {beaten_percent(read[0])} of photos"


SHOWN = 10
"""Maps on a card: what fits vertically on a laptop screen."""

MANY = 24
"""Steps that fit side by side on a laptop; above, stages are folded."""

SIDE = 56
"""Side of a map on a card, pixels; larger maps are averaged down to it."""


def river(view: View, model: Model, run: Run | None) -> River:
    """The river of a finished run; without a run its cards wait for the event stream."""
    records = {r.step.name: r for r in run.records} if run else {}

    def made(step: Step) -> Card:
        record = records.get(step.name)
        return card(view, run, record) if run and record else waiting(view, model, step)

    steps = [made(step) for step in model.outline.steps]
    verdict = None if model.outline.partial else steps.pop()
    big = is_big(model)
    numbers = dict.fromkeys(one.step.stage for one in steps)
    stages = tuple(
        _stage(view, model, number, tuple(one for one in steps if one.step.stage == number), big)
        for number in numbers
    )
    return River(view, model, stages, verdict, run is None, SCALE_WORDS[view.scale], SIDE, big)


def is_big(model: Model) -> bool:
    """Whether a network has too many steps for one screen."""
    return len(model.outline.steps) > MANY


def _stage(
    view: View, model: Model, number: int | None, cards: tuple[Card, ...], big: bool
) -> Stage:
    """A stage; in a big network it is folded to its last step unless another one is selected."""
    if number is None:
        return Stage(number, STAGES[number], _size(model, cards), cards, open=False)
    if not big or len(cards) == 1:
        return Stage(number, STAGES[number], _size(model, cards), cards)
    *inside, last = cards
    selected = view.step in [one.step.name for one in inside]
    return Stage(number, STAGES[number], f"{len(cards)} steps", tuple(inside), last, open=selected)


def waiting(view: View, model: Model, step: Step) -> Card:
    """A card without maps yet, already in its final size."""
    shape = model.geometry[step.name].shape
    filters, _ = kernel_sheet(model, step)
    return Card(step, shape, _select(view, step.name), min(SHOWN, shape[0]), filters)


def card(view: View, run: Run, record: StepRecord) -> Card:
    """A card with its strongest maps."""
    step = record.step
    shape = run.model.geometry[step.name].shape
    order = record.statistics.strongest(SHOWN)
    height, width = _tile(shape)
    layout = arrange(len(order), height, width)
    titles = _titles(run, record, order)
    tiles = tuple(
        Tile(
            channel,
            title,
            _select(view, step.name, channel),
            box(layout, i),
        )
        for i, (channel, title) in enumerate(zip(order, titles, strict=True))
    )
    found = lines(run, record, SHOWN)
    filters, kernels = kernel_sheet(run.model, step)
    return Card(
        step,
        shape,
        _select(view, step.name),
        len(order),
        filters,
        (kernels.width, kernels.height),
        tuple(box(kernels, channel) for channel in order) if filters else (),
        run.image,
        sheet=sheet_url(view, run.model, step.name, channels=f"top{SHOWN}", size=SIDE),
        sheet_width=layout.width,
        sheet_height=layout.height,
        tiles=tiles,
        classes=_classes(view, run, step),
        milliseconds=record.milliseconds,
        batch=record.batch,
        legend=legend(view, run, record),
        links=json.dumps([[one.source, one.target, round(one.share, 3)] for one in found]),
        source=source_of(run, step.name) or "",
        lazy=is_big(run.model),
        usual=usual(run, step),
    )


def _titles(run: Run, record: StepRecord, order: list[int]) -> list[str]:
    name = record.step.name
    values = record.statistics.peaks[order].tolist()
    if run.spatial(name):
        return [f"{name}, map {c}, peak {number(v)}" for c, v in zip(order, values, strict=True)]
    if len(run.model.labels) == len(record.statistics.peaks):
        labels = run.model.labels
        return [f"{labels[c].label}: {number(v)}" for c, v in zip(order, values, strict=True)]
    return [f"{name}, number {c}: {number(v)}" for c, v in zip(order, values, strict=True)]


def _classes(view: View, run: Run, step: Step) -> tuple[ClassBar, ...]:
    if step.kind != "softmax":
        return ()
    found = predictions(run, SHOWN)
    return tuple(ClassBar(one, _select(view, step.name, one.index)) for one in found)


def _tile(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of a map on the overview sheet, as `app.pictures.sheets.reduce` makes it."""
    if len(shape) == 1:
        return 1, 1
    height, width = shape[1:]
    longer = max(height, width)
    if longer <= SIDE:
        return height, width
    return max(1, round(height * SIDE / longer)), max(1, round(width * SIDE / longer))


def _select(view: View, step: str, channel: int | None = None) -> str:
    return view.at(step=step, channel=channel, y=None, x=None)


def _size(model: Model, cards: tuple[Card, ...]) -> str:
    shape = model.geometry[cards[0].step.name].shape
    return f"{shape[0]} maps" if len(shape) == 3 else f"{len(cards)} steps"
