"""From a synthesised picture to what is shown of it, and beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from app.services.atlas.class_preferences import preferences
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
from app.web.core.links import View
from app.web.core.templating import number
from app.web.panels.panel_link import PanelLink
from app.web.parts.contexts import helped
from app.web.parts.sprites import Tile, box
from app.web.parts.synthesis_urls import in_link, picture_url, sheet_url
from models.graph import Step


def synthesis_links(view: View, model: Model, step: Step) -> tuple[PanelLink, ...]:
    """Those of a unit, or of a step where no channel is named; none where nothing can be raised."""
    if not has_goal(model, step.name):
        return ()
    named = {"model": view.model, "image": view.image, "step": step.name}
    whole = view.channel is None
    unit = named if whole else named | {"channel": str(view.channel)}
    made = {"made": view.made} if view.made else {}
    title = "What the whole layer responds to most" if whole else "What it responds to most"
    url = f"/panels/synthesised?{urlencode(unit | made)}"
    return (PanelLink(title, url, open=bool(made)),)


def wall_link(view: View, model: Model, step: Step) -> PanelLink | None:
    """The pictures of all channels of a step; None where none ship."""
    if not has_goal(model, step.name) or not has_wall(model, step.name):
        return None
    named = {"model": view.model, "image": view.image, "step": step.name}
    what = "map" if model.geometry[step.name].spatial else "class"
    return PanelLink(f"What each {what} responds to most", f"/synthesis/wall?{urlencode(named)}")


@dataclass(frozen=True, slots=True)
class ObjectiveFigure:
    """A number beside others of its kind, with a bar."""

    name: str = helped("What it was measured on.")
    value: float = helped("The number.")
    share: float = helped("Its magnitude as a part of the largest, 0..1.")


@dataclass(frozen=True, slots=True)
class FinishedPicture:
    """A finished picture."""

    name: str = helped("What it is for.")
    url: str = helped("The picture.")
    size: int = helped("Pixels of a side.")
    download: str = helped("The same, to be saved.")
    sentence: str = helped("How it was made.")
    measure: str = helped("Which number was raised or lowered.")
    measured: tuple[ObjectiveFigure, ...] = helped("That number on this and on other pictures.")
    shipped: bool = helped("Whether it came with the weights.")
    small: bool = helped("Whether it is a tile of its step's sheet, kept small.")
    curve: str = helped("The number on the way, an SVG path on 300 by 100; empty where unknown.")
    problem: str = helped("Why it could not be kept, empty where it was.", "")


@dataclass(frozen=True, slots=True)
class GrowingPicture:
    """A picture on its way."""

    url: str = helped("The newest picture.")
    size: int = helped("Pixels of a side.")
    name: str = helped("What it is for.")
    step: int = helped("The step that was made last.")
    steps: int = helped("How many there are.")
    reached: int = helped("After which step the picture was taken.")
    objective: str = helped("The number for that picture.")
    curve: str = helped("The number on the way, an SVG path on 300 by 100.")
    left: str = helped("The time that is left, in words.")


@dataclass(frozen=True, slots=True)
class SynthesisForm:
    """The settings of a picture to be made."""

    hidden: tuple[tuple[str, str], ...] = helped("What the page knows already.")
    steps: int = helped("Steps of gradient ascent.")
    most_steps: int = helped("The most that are made.")
    seed: int = helped("Of the noise it begins with.")
    most_seed: int = helped("The largest.")
    size: int = helped("Pixels of a side.")
    sizes: tuple[int, ...] = helped("Those to choose from; one where the network sets it.")
    away: bool = helped("Whether the number is to be lowered.")
    mixes: bool = helped("Whether another channel can be mixed in.")
    second: int | None = helped("The other channel.")
    share: int = helped("How much it counts, per cent.")
    most: int = helped("The largest number of a channel.")
    others: tuple[tuple[int, str], ...] = helped("The strongest channels, to choose from.")


@dataclass(frozen=True, slots=True)
class SynthesisPanel:
    """The panel of a unit or a step."""

    name: str = helped("What it is for, in words.")
    form: SynthesisForm = helped("Its settings.")
    made: FinishedPicture | None = helped("The picture, where it can be shown at once.")
    events: str = helped("The stream that makes it, empty where nothing grows.")
    stop: str = helped("What a press on Stop asks for.")
    stopped: bool = helped("Whether it is the answer to that.", False)


@dataclass(frozen=True, slots=True)
class PictureWall:
    """The pictures of all channels of a step, strongest first."""

    tiles: tuple[Tile, ...] = helped("One for each channel.")
    sheet: str = helped("URL of the sheet they are on.")
    width: int = helped("Width of the sheet, pixels.")
    height: int = helped("Height of the sheet, pixels.")
    step: str = helped("The step.")
    at: str = helped("The step at which they were measured.")
    sentence: str = helped("How they were made.")
    classes: bool = helped("Whether they stand for classes.")


@dataclass(frozen=True, slots=True)
class PreferenceBar:
    """A class that a channel prefers."""

    name: str = helped("Its label.")
    value: float = helped("The mean response to its pictures.")
    share: float = helped("Its part of the largest, 0..1.")


@dataclass(frozen=True, slots=True)
class ResponseSummary:
    """What a unit's pane tells at once about what it responds to."""

    url: str = helped("The synthesised picture, empty where none is made yet.")
    alt: str = helped("What it is, for screen readers.")
    made: str = helped("The same picture as a link to the page names it.")
    bars: tuple[PreferenceBar, ...] = helped("The classes it prefers.")
    at: str = helped("The step whose responses those are.")
    pictures: str = helped("Over which pictures they are means.")


OTHERS = 12
"""Strong channels that are offered to mix with."""


async def made(
    asked: SynthesisQuery, run: Run, found: FoundPicture, studio: Studio, problem: str = ""
) -> FinishedPicture:
    """A finished picture, its number beside that of the run's picture and of grey."""
    picture = found.picture
    own = -picture.objective if asked.goal.away else picture.objective
    grey = await studio.greys.of(asked)
    here = await asyncio.to_thread(on_picture, asked, run)
    values = (("the one above", own), ("your picture", here), ("plain grey", grey))
    largest = max(abs(value) for _, value in values) or 1.0
    unit = "layer" if asked.channel is None else str(asked.channel)
    name = f"{asked.model.id}-{asked.step}-{unit}-{asked.recipe.steps}-{asked.recipe.seed}.png"
    return FinishedPicture(
        name=asked.name,
        url=picture_url(asked),
        size=asked.recipe.size,
        download=picture_url(asked, download=name),
        sentence=asked.description,
        measure=asked.measure,
        measured=tuple(
            ObjectiveFigure(what, value, abs(value) / largest) for what, value in values
        ),
        shipped=found.state == "shipped",
        small=found.small,
        curve=curve(picture.curve, asked.recipe.steps, asked.recipe.steps, asked.goal.away),
        problem=problem,
    )


def growing(report: GrowthReport) -> GrowingPicture:
    """A picture on its way."""
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
    """Values on the way as a path from left to right, lowest at the bottom; "" for fewer than 2."""
    if len(values) < 2:
        return ""
    drawn = [-value for value in values] if away else list(values)
    low, high = min(drawn), max(drawn)
    across, up = 300 * step / steps / (len(drawn) - 1), 96 / ((high - low) or 1.0)
    points = (f"{across * i:.1f} {98 - up * (v - low):.1f}" for i, v in enumerate(drawn))
    return "M" + "L".join(points)


def form(asked: SynthesisQuery, run: Run) -> SynthesisForm:
    """The settings of a picture as they are, and what they may be."""
    wanted, recipe, model = asked.options, asked.recipe, asked.model
    hidden = {"model": model.id, "image": run.image, "step": asked.step}
    if asked.channel is not None:
        hidden["channel"] = str(asked.channel)
    return SynthesisForm(
        hidden=tuple(hidden.items()),
        steps=recipe.steps,
        most_steps=MOST_STEPS,
        seed=recipe.seed,
        most_seed=MOST_SEED,
        size=recipe.size,
        sizes=sizes(model, asked.at),
        away=wanted.away,
        mixes=asked.channel is not None,
        second=wanted.second,
        share=wanted.share,
        most=model.geometry[asked.step].shape[0] - 1,
        others=_others(asked, run),
    )


def responds(view: View, run: Run, studio: Studio) -> ResponseSummary | None:
    """What a unit's pane tells at once: the usual picture if it is there, preferred classes."""
    step, channel = view.step or "", view.channel or 0
    if not has_goal(run.model, step):
        return None
    asked = studio.build_query(run.model, step, channel, SynthesisOptions())
    there = studio.state(asked) != "none"
    liked = preferences(run.model, step, channel)
    if not there and liked is None:
        return None
    classes = liked.classes if liked else ()
    top = max((one.value for one in classes), default=0) or 1.0
    return ResponseSummary(
        url=picture_url(asked) if there else "",
        alt=f"What {asked.name} responds to most",
        made=in_link(asked),
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
    """The pictures of all channels, in `order`; None where there are none."""
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
        "pixels; kept small (JPEG).",
        classes=bool(label_of(run.model, at, 0)),
    )


def _others(asked: SynthesisQuery, run: Run) -> tuple[tuple[int, str], ...]:
    """The strongest channels on the run's picture beside the one asked about."""
    if asked.channel is None:
        return ()
    record = next(one for one in run.records if one.step.name == asked.step)
    strongest = record.statistics.strongest(OTHERS + 1)
    named = ((c, label_of(run.model, *unit_origin(run.model, asked.step, c))) for c in strongest)
    return tuple((c, label or f"number {c}") for c, label in named if c != asked.channel)[:OTHERS]


def _left(report: GrowthReport) -> str:
    if not report.step:
        return "It begins."
    seconds = round(report.seconds_left)
    if seconds >= 90:
        return f"about {round(seconds / 60)} minutes left"
    return f"about {seconds} s left" if seconds > 1 else "nearly done"
