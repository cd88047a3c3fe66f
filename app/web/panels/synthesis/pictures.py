"""Contexts of synthesised pictures (activation maximisation): panel, form, wall."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.services.atlas.class_preferences import class_preferences
from app.services.networks.catalogue import Model
from app.services.runs.run import Run
from app.services.synthesis.growth import GrowthReport
from app.services.synthesis.levels import on_picture
from app.services.synthesis.query import (
    MOST_SEED,
    MOST_STEPS,
    SynthesisOptions,
    SynthesisQuery,
    has_goal,
    label_of,
    sizes,
    unit_origin,
)
from app.services.synthesis.shipped import shipped
from app.services.synthesis.studio import FoundPicture, Studio
from app.web.core.base_path import base
from app.web.core.links import View
from app.web.core.templating import number
from app.web.panels.panel import PanelLink
from app.web.parts.contexts import helped
from app.web.parts.preference_bars import PreferenceBar
from app.web.parts.sprites import Tile, box
from app.web.parts.synthesis_urls import (
    PictureStep,
    picture_url,
    sheet_url,
    to_link,
)
from models.graph import Step


def wall_link(view: View, model: Model, step: Step) -> PanelLink | None:
    """The synthesised pictures of all channels of a step; None if none ship."""
    if not has_goal(model, step.name) or not has_wall(model, step.name):
        return None
    named = PictureStep(model=view.model, image=view.image, step=step.name)
    what = "map" if model.geometry[step.name].spatial else "class"
    return PanelLink(
        f"What each {what} responds to most", f"{base()}/synthesis/wall?{named.query()}"
    )


@dataclass(frozen=True, slots=True)
class ObjectiveFigure:
    """A bar of an objective."""

    name: str  # what it was measured on
    value: float  # the objective
    share: float  # its magnitude as a part of the largest, 0..1


@dataclass(frozen=True, slots=True)
class FinishedPicture:
    """A finished picture."""

    name: str  # the unit or step it is for
    url: str
    size: int  # pixels of a side
    download: str  # URL
    sentence: str  # how it was made
    measure: str  # which activation was maximised or minimised
    measured: tuple[ObjectiveFigure, ...]  # that activation for this and for other pictures
    shipped: bool  # with the weights
    small: bool  # whether it is a small tile of its step's sheet
    curve: str  # the objective over the steps, an SVG path on 300 by 100; "" if unknown
    problem: str = ""  # why it could not be stored; "" if it was


@dataclass(frozen=True, slots=True)
class GrowingPicture:
    """A picture that is being synthesised."""

    url: str  # of the newest picture
    size: int  # pixels of a side
    name: str  # the unit or step it is for
    step: int  # the last finished one
    steps: int
    reached: int  # the step after which the picture was taken
    objective: str  # for that picture
    curve: str  # the objective over the steps, an SVG path on 300 by 100
    left: str  # remaining time, in words


@dataclass(frozen=True, slots=True)
class SynthesisForm:
    """The settings of a synthesised picture."""

    hidden: tuple[tuple[str, str], ...]  # fields of the page's state
    steps: int  # of gradient ascent
    most_steps: int
    seed: int  # of the noise it starts from
    most_seed: int
    size: int  # pixels of a side
    sizes: tuple[int, ...]  # to choose from; one if the network sets it
    away: bool  # whether the objective is minimised
    mixes: bool  # whether another channel can be mixed in
    second: int | None  # the other channel
    share: int  # weight of the other channel, per cent
    most: int  # the largest index of a channel
    others: tuple[tuple[int, str], ...]  # the strongest channels, to choose from


@dataclass(frozen=True, slots=True)
class SynthesisPanel:
    """The panel of a unit or a step."""

    name: str = helped("The unit or step it is for, in words.")
    form: SynthesisForm = helped("Its settings.")
    made: FinishedPicture | None = helped("The picture, if it can be shown at once.")
    events: str = helped("URL of the event stream that synthesises it, empty if none runs.")
    stop: str = helped("URL of the Stop button.")
    stopped: bool = helped("Whether this is the response to Stop.", False)


@dataclass(frozen=True, slots=True)
class PictureWall:
    """The pictures of all channels of a step, strongest first."""

    tiles: tuple[Tile, ...]  # one for each channel
    sheet: str  # URL
    width: int  # of the sheet, pixels
    height: int  # of the sheet, pixels
    step: str
    at: str  # the step at which they were measured
    sentence: str  # how they were made
    classes: bool  # whether they stand for classes


@dataclass(frozen=True, slots=True)
class ResponseSummary:
    """What a unit responds to, shown in its pane at once."""

    url: str  # of the synthesised picture; "" if none is available
    alt: str  # for screen readers
    made: str  # the same picture as a link to the page names it
    bars: tuple[PreferenceBar, ...]  # the classes it prefers
    at: str  # the step where the means were measured
    pictures: str  # those that were averaged, in words


OTHERS = 12
"""Strong channels to choose for mixing."""


async def made(
    query: SynthesisQuery, run: Run, found: FoundPicture, studio: Studio, problem: str = ""
) -> FinishedPicture:
    """A finished picture, its objective compared with the run's picture and with grey."""
    picture = found.picture
    own = -picture.objective if query.goal.away else picture.objective
    grey = await studio.greys.of(query)
    here = await asyncio.to_thread(on_picture, query, run)
    values = (("the one above", own), ("your picture", here), ("plain grey", grey))
    largest = max(abs(value) for _, value in values) or 1.0
    unit = "layer" if query.channel is None else str(query.channel)
    name = f"{query.model.id}-{query.step}-{unit}-{query.recipe.steps}-{query.recipe.seed}.png"
    return FinishedPicture(
        name=query.name,
        url=picture_url(query),
        size=query.recipe.size,
        download=picture_url(query, download=name),
        sentence=query.description,
        measure=query.measure,
        measured=tuple(
            ObjectiveFigure(what, value, abs(value) / largest) for what, value in values
        ),
        shipped=found.state == "shipped",
        small=found.small,
        curve=curve(picture.curve, query.recipe.steps, query.recipe.steps, query.goal.away),
        problem=problem,
    )


def growing(report: GrowthReport) -> GrowingPicture:
    """A picture that is being synthesised."""
    asked = report.shown
    own = -report.objective if asked.goal.away else report.objective
    return GrowingPicture(
        url=picture_url(asked),
        size=asked.recipe.size,
        name=asked.name,
        step=report.step,
        steps=report.steps,
        reached=asked.recipe.steps,
        objective=number(own),
        curve=curve(report.curve, report.step, report.steps, asked.goal.away),
        left=_left(report),
    )


def curve(values: Sequence[float], step: int, steps: int, away: bool) -> str:
    """Objectives as a path from left to right, lowest at the bottom; "" for fewer than 2."""
    if len(values) < 2:
        return ""
    drawn = [-value for value in values] if away else list(values)
    low, high = min(drawn), max(drawn)
    across, up = 300 * step / steps / (len(drawn) - 1), 96 / ((high - low) or 1.0)
    points = (f"{across * i:.1f} {98 - up * (v - low):.1f}" for i, v in enumerate(drawn))
    return "M" + "L".join(points)


def form(query: SynthesisQuery, run: Run) -> SynthesisForm:
    """The settings of a picture and their ranges."""
    options, recipe, model = query.options, query.recipe, query.model
    hidden = {"model": model.id, "image": run.image, "step": query.step}
    if query.channel is not None:
        hidden["channel"] = str(query.channel)
    return SynthesisForm(
        hidden=tuple(hidden.items()),
        steps=recipe.steps,
        most_steps=MOST_STEPS,
        seed=recipe.seed,
        most_seed=MOST_SEED,
        size=recipe.size,
        sizes=sizes(model, query.at),
        away=options.away,
        mixes=query.channel is not None,
        second=options.second,
        share=options.share,
        most=model.geometry[query.step].shape[0] - 1,
        others=_others(query, run),
    )


def responds(view: View, run: Run, studio: Studio) -> ResponseSummary | None:
    """The content of a unit's pane: the default picture if available, preferred classes."""
    step, channel = view.step or "", view.channel or 0
    if not has_goal(run.model, step):
        return None
    asked = studio.build_query(run.model, step, channel, SynthesisOptions())
    there = studio.state(asked) != "none"
    liked = class_preferences(run.model, step, channel)
    if not there and liked is None:
        return None
    classes = liked.classes if liked else ()
    top = max((one.value for one in classes), default=0) or 1.0
    return ResponseSummary(
        url=picture_url(asked) if there else "",
        alt=f"What {asked.name} responds to most",
        made=to_link(asked),
        bars=tuple(
            PreferenceBar(one.label, one.value, max(0.0, one.value / top)) for one in classes
        ),
        at=liked.at if liked else "",
        pictures=liked.pictures if liked else "",
    )


def has_wall(model: Model, step: str) -> bool:
    """Whether there are pictures of all channels of a step."""
    at, _ = unit_origin(model, step, 0)
    there = shipped(model, at)
    layout = there.layout(at) if there else None
    return layout is not None and layout.count == model.geometry[step].shape[0]


def wall(view: View, run: Run, step: str, order: Sequence[int]) -> PictureWall | None:
    """The pictures of all channels, in `order`; None if there are none."""
    at, _ = unit_origin(run.model, step, 0)
    there = shipped(run.model, at)
    layout = there.layout(at) if there else None
    if there is None or layout is None or layout.count != len(order):
        return None
    recipe = there.recipe
    return PictureWall(
        tiles=tuple(
            Tile(
                channel,
                label_of(run.model, at, channel) or f"{step}, map {channel}",
                view.at(step=step, channel=channel, y=None, x=None),
                box(layout, channel),
            )
            for channel in order
        ),
        sheet=sheet_url(run.model, at, there),
        width=layout.width,
        height=layout.height,
        step=step,
        at=at,
        sentence=f"Grown from grey noise in {recipe.steps} steps at {recipe.size} × {recipe.size} "
        "pixels; saved small (JPEG).",
        classes=bool(label_of(run.model, at, 0)),
    )


def _others(query: SynthesisQuery, run: Run) -> tuple[tuple[int, str], ...]:
    """The strongest channels on the run's picture except the selected one."""
    if query.channel is None:
        return ()
    record = next(one for one in run.records if one.step.name == query.step)
    strongest = record.statistics.strongest(OTHERS + 1)
    named = ((c, label_of(run.model, *unit_origin(run.model, query.step, c))) for c in strongest)
    return tuple((c, label or f"number {c}") for c, label in named if c != query.channel)[:OTHERS]


def _left(report: GrowthReport) -> str:
    if not report.step:
        return "starting"
    seconds = round(report.seconds_left)
    if seconds >= 90:
        return f"about {round(seconds / 60)} minutes left"
    return f"about {seconds} s left" if seconds > 1 else "nearly done"
