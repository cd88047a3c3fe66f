"""Sheets: pictures of a step's feature maps as tiles, drawn in threads and cached."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor

from app.errors import BadRequest, UnknownStep
from app.pictures.palettes import PaletteName
from app.pictures.sheets import SheetLayout, sheet
from app.services.cache import ByteCache
from app.services.runs.run import Run, StepRecord
from models.graph import Step
from models.row import Weights

Scale = Literal["unit", "layer", "network"]
SCALES: tuple[Scale, ...] = get_args(Scale)

DRAWING = 1
"""Version of the drawing: increase it when sheets look different, so that URLs change."""

SMALL = 40_000
"""Cells up to which a sheet is drawn without a thread: 0.1 to 0.3 ms, less than the hand-over."""

LARGEST_TILE = 512
LARGEST_SHEET = 16_000_000
"""Most pixels of a sheet; an overview has fifty thousand."""
_TOP = re.compile(r"top([1-9]\d{0,3})")
_LIST = re.compile(r"\d{1,5}(,\d{1,5})*")


@dataclass(frozen=True, slots=True)
class SheetQuery:
    """What a sheet shows: `channels` is "" for all, `top12` or `3,17`.

    Maps whose longer side exceeds `size` pixels are averaged down to it; then each cell becomes a
    square of `enlarge` pixels a side.
    """

    scale: Scale = "unit"
    channels: str = ""
    size: int | None = None
    enlarge: int = 1


@dataclass(frozen=True, slots=True)
class DrawnSheet:
    """A sheet with its legend: tile i shows channel `order[i]`, its colours end at ±`limits[i]`."""

    png: bytes
    layout: SheetLayout
    order: tuple[int, ...]
    limits: tuple[float, ...]
    palette: PaletteName
    reduced: bool


class Sheets:
    """Draws sheets in a pool of `workers` threads; caches `budget` bytes of them."""

    def __init__(self, budget: int, workers: int = 2) -> None:
        self._cache: ByteCache[tuple[object, ...], DrawnSheet] = ByteCache(budget)
        self._pool = ThreadPoolExecutor(workers, "layerscope-draw")

    async def draw(self, run: Run, name: str, wanted: SheetQuery) -> DrawnSheet:
        """Draw the sheet of a step, waiting for it; on the network's scale, for the whole run.

        Raises `UnknownStep`, `BadRequest`.
        """
        record = await run.record(name)
        if wanted.scale == "network":
            await run.finish()
        key = (*run.key, name, wanted)
        if (drawn := self._cache.get(key)) is None:
            order = channels(record, wanted.channels)
            work = partial(_draw, run, record, wanted, order)
            if _is_small(run, record, wanted, order):
                drawn = work()
            else:
                drawn = await asyncio.get_running_loop().run_in_executor(self._pool, work)
            self._cache.put(key, drawn, len(drawn.png) + 2048)
        return drawn

    def forget(self, image: str) -> None:
        """Drop every sheet of a deleted picture."""
        self._cache.drop_where(lambda key: key[1] == image)

    def close(self) -> None:
        """Shut the threads down."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _is_small(run: Run, record: StepRecord, wanted: SheetQuery, order: tuple[int, ...]) -> bool:
    cells = math.prod(run.model.geometry[record.step.name].shape[1:])
    return len(order) * cells * wanted.enlarge**2 <= SMALL


def draw(run: Run, record: StepRecord, wanted: SheetQuery) -> DrawnSheet:
    """Draw one sheet in this thread. Raises `UnknownStep`, `BadRequest`."""
    return _draw(run, record, wanted, channels(record, wanted.channels))


def _draw(run: Run, record: StepRecord, wanted: SheetQuery, order: tuple[int, ...]) -> DrawnSheet:
    _refuse_too_large(run, record, wanted, order)
    peak = _peak(run, record, wanted.scale, order)
    if wanted.channels:
        maps = run.maps(record.step.name, order)
        # A single number becomes a map of one cell.
        maps = maps.view(len(order), *(maps.shape[1:] or (1, 1)))
    else:
        maps = run.tensor(record.step.name)
    name = palette_of(record.step, run.model.outline.logits)
    drawing = sheet(maps, peak, name, wanted.size, enlarge=wanted.enlarge)
    limits = torch.as_tensor(peak).expand(len(order)).tolist()
    return DrawnSheet(drawing.png, drawing.layout, order, tuple(limits), name, drawing.reduced)


def _refuse_too_large(
    run: Run, record: StepRecord, wanted: SheetQuery, order: tuple[int, ...]
) -> None:
    """Raise `BadRequest` before any map is read: a request may repeat a channel 10,000 times."""
    longest = max(run.model.geometry[record.step.name].shape[1:] or (1,))
    side = min(longest, wanted.size or LARGEST_TILE) * wanted.enlarge
    if len(order) * side**2 > LARGEST_SHEET:
        raise BadRequest("This sheet would be too large. Ask for fewer channels or enlarge less.")


def _peak(run: Run, record: StepRecord, scale: Scale, order: tuple[int, ...]) -> Tensor | float:
    """The limit of the colour scale: one magnitude for all maps, or one for each of `order`."""
    spatial = run.spatial(record.step.name)
    if scale == "network" and spatial:
        return run.network_limit()
    if scale == "unit" and spatial:
        return record.statistics.limits[list(order)]
    return record.statistics.limit


def channels(record: StepRecord, wanted: str) -> tuple[int, ...]:
    """Channel numbers for `""` (all), `top12` (strongest first) or `3,17`.

    Raises `BadRequest` for anything else, `UnknownStep` for a channel the step does not have.
    """
    count = len(record.statistics.peaks)
    if not wanted:
        return tuple(range(count))
    if match := _TOP.fullmatch(wanted):
        return tuple(record.statistics.strongest(int(match[1])))
    if not _LIST.fullmatch(wanted):
        raise BadRequest("channels must be numbers with commas (3,17) or top and a number (top12).")
    chosen = tuple(int(part) for part in wanted.split(","))
    if (worst := max(chosen)) >= count:
        raise UnknownStep(f"{record.step.name} has channels 0 to {count - 1}, not {worst}.")
    return chosen


def palette_of(step: Step, logits: str) -> PaletteName:
    """The palette of a step, by the meaning of its values; `logits` names the step of logits."""
    if step.name == logits:
        return "logit"
    match step.kind:
        case "relu" | "maxpool" | "avgpool" | "concat":
            return "nonnegative"
        case "softmax":
            return "logit"
        case _:
            return "signed"


def version(row: Weights) -> str:
    """The version in a sheet's URL, so that it can be cached forever: weights, input, drawing."""
    parts = (row.sha256, row.mean, row.std, row.resize, row.crop, DRAWING)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
