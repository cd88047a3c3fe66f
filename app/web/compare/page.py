"""Context of the comparison page: both sides, the selected pair, the ranking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import torch

from app.pictures.samples import all_samples
from app.pictures.sheets import arrange, reduce
from app.services.networks.catalogue import Model
from app.services.runs.comparison import PARTS, ChannelPair, ComparedSide, MapComparison, Part
from app.services.runs.run import Run
from app.web.api.runs import predictions
from app.web.compare.contexts import CompareChoice, Compared, CompareSide, MapOfPair, StepGroup
from app.web.compare.ranking import NAMES, apart_words, channel_name, ranking
from app.web.compare.sheets import maps_url, palette
from app.web.compare.view import CompareView, Which
from app.web.compare.words import invitation, lacking, pairing_words
from app.web.core.base_path import base
from app.web.core.links import View, sheet_url
from app.web.core.state import Services
from app.web.core.templating import number
from app.web.explorer.network_menu import stage_step
from app.web.explorer.picture_pane import picture_pane
from app.web.parts.photo import link_expires
from app.web.parts.sprites import Legend, Tile, box

CHOICES, SIDE = 12, 56
"""Channels offered to choose from, and the side of each map, pixels."""


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """A view whose sides are complete, their runs, and the comparison.

    `made` is None if the other network has no step like this one; `row` is the selected pair.
    """

    view: CompareView
    runs: tuple[Run, Run]
    steps: tuple[str, str | None]
    made: MapComparison | None
    row: ChannelPair | None


@asynccontextmanager
async def paired(view: CompareView, services: Services) -> AsyncIterator[ComparedPair]:
    """Both runs, computed as far as the page needs them.

    Raises `UnknownModel`, `UnknownPicture`, `UnknownStep`, `WeightsMissing`, `Busy`.
    """
    there = view.named("there")
    async with (
        services.runs.listen(view.model, view.image) as here_run,
        services.runs.listen(there.model, there.image) as there_run,
    ):
        step = view.step or here_run.model.outline.steps[0].name
        record = await here_run.record(step)
        other = view.other_step or stage_step(here_run.model, step, there_run.model)
        await here_run.finish()
        await there_run.finish()
        named, runs = view.changed(step=step), (here_run, there_run)
        if other is None:
            yield ComparedPair(named, runs, (step, None), None, None)
            return
        halves = (
            ComparedSide(here_run, record),
            ComparedSide(there_run, await there_run.record(other)),
        )
        made, row = await asyncio.to_thread(_made, named, *halves)
        yield ComparedPair(named, runs, (step, other), made, row)


def _made(
    view: CompareView, here: ComparedSide, there: ComparedSide
) -> tuple[MapComparison, ChannelPair]:
    made = MapComparison(here, there, view.channel)
    return made, made.chosen(view.by, view.other_channel)


def compared(pair: ComparedPair, services: Services, owner: str) -> Compared:
    """The context of the page."""
    view, made, row = pair.view, pair.made, pair.row
    ranked = ranking(pair.view, made, row) if made and row else None
    places = [one.current for one in ranked.rows] if ranked else []
    at = places.index(True) if True in places else None
    return Compared(
        view=view,
        sides=(_side(pair, "here", services, owner), _side(pair, "there", services, owner)),
        problem="" if made else lacking(pair.runs, pair.steps[0]),
        sentence=pairing_words(made) if made else "",
        invitation=invitation(view) if view.is_open else "",
        shown=_shown(view, made, row) if made and row else (),
        apart=apart_words(made, row) if made and row else "",
        legend=_legend(made, row) if made and row else None,
        ranking=ranked,
        samples=all_samples(),
        recent=tuple(services.pictures.recent(owner)),
        swap=view.swapped(),
        previous=ranked.rows[at - 1].url if ranked and at else "",
        next=ranked.rows[at + 1].url if ranked and at is not None and at + 1 < len(places) else "",
        png=f"{base()}/compare.png?{view.query()}",
        csv=f"{base()}/compare.csv?{view.query()}",
        expires=_expires(view, services),
    )


def _side(pair: ComparedPair, which: Which, services: Services, owner: str) -> CompareSide:
    first = which == "here"
    run, step = pair.runs[0 if first else 1], pair.steps[0 if first else 1]
    channel = None if pair.row is None else pair.row.here if first else pair.row.there
    half = None if pair.made is None else pair.made.here if first else pair.made.there
    named = View(model=run.model.id, image=run.image, step=step, channel=channel)
    shape = run.model.geometry[step].shape if step else (0,)
    tiles, sheet, size = _choices(pair.view, which, run, step)
    return CompareSide(
        which=which,
        name="This one" if first else "The other",
        image=run.image,
        title=picture_pane(named, run, services, owner).title,
        network=run.model.row.title,
        random=run.model.state == "random",
        step=step or "",
        unit="" if half is None or channel is None else channel_name(half, channel),
        url=named.url(),
        predictions=tuple(predictions(run, 3)),
        networks=_networks(pair.view, which, services, run),
        steps=_steps(pair.view, which, run, step),
        maps=tiles,
        sheet=sheet,
        sheet_size=size,
        channel=channel,
        channels=shape[0],
        spatial=bool(step) and run.spatial(step or ""),
        field=(field := "channel" if first else "other_channel"),
        open=not first and pair.view.is_open,
        others=tuple(parse_qsl(pair.view.query(**{field: None}))),
    )


def _networks(
    view: CompareView, which: Which, services: Services, run: Run
) -> tuple[CompareChoice, ...]:
    """Available networks, each also with random weights, which need no file."""
    catalogue = services.catalogue
    here = [one for one in catalogue.models() if one.entry.path is not None]
    found = [one for model in here for one in (model, catalogue.model(model.entry.counterpart))]
    if run.model.id not in [one.id for one in found]:
        found.append(run.model)
    return tuple(
        CompareChoice(one.row.title, view.url(**_moved(view, which, run, one)), one is run.model)
        for one in found
    )


def _moved(view: CompareView, which: Which, run: Run, model: Model) -> dict[str, Any]:
    """The view with another network on one side; channels are kept if they mean the same there."""
    same = run.model.row.architecture == model.row.architecture
    channels = {} if same else {"channel": None, "other_channel": None}
    if which == "there":
        return {
            "other_model": model.id,
            "other_step": view.other_step if same else None,
            **channels,
        }
    return {"model": model.id, "step": stage_step(run.model, view.step, model), **channels}


def _steps(view: CompareView, which: Which, run: Run, chosen: str | None) -> tuple[StepGroup, ...]:
    steps = run.model.outline.steps
    stages = dict.fromkeys(step.stage for step in steps)
    return tuple(
        StepGroup(
            f"Layer {stage}" if stage else "Head",
            tuple(
                CompareChoice(one.name, _at(view, which, one.name), one.name == chosen)
                for one in steps
                if one.stage == stage
            ),
        )
        for stage in stages
    )


def _at(view: CompareView, which: Which, step: str) -> str:
    """The view with another step on one side, without its channels."""
    changed = "step" if which == "here" else "other_step"
    return view.url(**{changed: step, "channel": None, "other_channel": None})


def _choices(
    view: CompareView, which: Which, run: Run, step: str | None
) -> tuple[tuple[Tile, ...], str, tuple[int, int]]:
    """The strongest maps of a side; none for a vector."""
    if not step or not run.spatial(step):
        return (), "", (0, 0)
    places = [one.name for one in run.model.outline.steps]
    order = run.records[places.index(step)].statistics.strongest(CHOICES)
    height, width = run.model.geometry[step].shape[1:]
    size = reduce(torch.zeros(1, height, width), SIDE).shape[1:]
    layout = arrange(len(order), *size)
    named = View(model=run.model.id, image=run.image)
    sheet = sheet_url(named, run.model, step, channels=f"top{CHOICES}", size=SIDE)
    tiles = tuple(
        Tile(c, f"{step}, map {c}", view.side(which, channel=c), box(layout, i))
        for i, c in enumerate(order)
    )
    return tiles, sheet, (layout.width, layout.height)


def _shown(view: CompareView, comparison: MapComparison, row: ChannelPair) -> tuple[MapOfPair, ...]:
    parts: list[Part] = [part for part in PARTS if part != "difference" or comparison.same_size]
    return tuple(_map(view, comparison, row, part) for part in parts)


def _map(view: CompareView, comparison: MapComparison, row: ChannelPair, part: Part) -> MapOfPair:
    half = comparison.there if part == "there" else comparison.here
    name, channel = half.record.step.name, row.there if part == "there" else row.here
    spatial = half.run.spatial(name)
    url = maps_url(view, comparison, part, row) if spatial else ""
    if part == "difference":
        value = comparison.drawn([row], part)
        low, high = number(value.min().item()), number(value.max().item())
        words = f"lowest {low}, highest {high}" if spatial else f"difference {high}"
        title = NAMES[part]
    else:
        peak = row.peak_there if part == "there" else row.peak_here
        words = f"{'peak' if spatial else 'value'} {number(peak)}"
        title = f"{NAMES[part]}: {name}, {channel_name(half, channel)}"
    return MapOfPair(title, url, (half.shape[1], half.shape[0]), words)


def _legend(comparison: MapComparison, row: ChannelPair) -> Legend | None:
    half = comparison.here
    if not half.run.spatial(half.record.step.name):
        return None
    # If no value is negative, only the difference is signed: one legend serves both.
    limit = number(comparison.limit(row))
    name = palette(comparison, "difference" if comparison.same_size else "there")
    words = "All on one scale: colours end at the largest magnitude of the maps shown."
    return Legend(name, "0" if name == "nonnegative" else f"−{limit}", limit, words)


def _expires(view: CompareView, services: Services) -> str:
    """The expiry of the link: that of the picture that expires first; built-in ones do not."""
    sentences = {link_expires(view.named(which), services) for which in ("here", "there")}
    ends = sorted(one for one in sentences if "does not expire" not in one)
    return ends[0] if ends else next(iter(sentences))
