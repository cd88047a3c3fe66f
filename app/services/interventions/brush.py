"""Occlusion by hand: how do a feature map and the classes change when a part is covered?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from torch import Tensor

from app.pictures.preprocess import unit
from app.services.engine.engine import Engine
from app.services.interventions.cache import InterventionCache
from app.services.interventions.results import BrushResult
from app.services.pictures.mask import Mask
from app.services.runs.batch_inference import outputs_of
from app.services.runs.run import Run, StepRecord
from app.vision.cover import How, StepChange, cover


@dataclass(frozen=True, slots=True)
class BrushStroke:
    """What is covered, and how; the noise is the same for all users."""

    mask: Mask = Mask()
    how: How = "grey"


async def brush(
    engine: Engine,
    cache: InterventionCache,
    run: Run,
    record: StepRecord,
    channel: int,
    stroke: BrushStroke,
) -> BrushResult:
    """Cover the picture and run it, in the interactive lane, only up to the steps needed.

    Raises `Busy`.
    """
    await run.finish()
    key = (run.key, (record.step.name, channel, stroke))
    if (found := cache.brush_results.get(key)) is None:
        found = await _brush(engine, run, record, channel, stroke)
        cache.brush_results.put(key, found, found.bytes)
    return found


def covered(run: Run, stroke: BrushStroke) -> Tensor:
    """The network's input with the mask applied, rounded to uint8 [3,S,S]."""
    pixels = run.fitted.pixels
    if not stroke.mask.count:
        return pixels
    mask = stroke.mask.over(pixels.shape[1])
    return cover(unit(pixels), mask, stroke.how).mul(255).round().to(pixels.dtype)


async def _brush(
    engine: Engine, run: Run, record: StepRecord, channel: int, stroke: BrushStroke
) -> BrushResult:
    name, logits = record.step.name, run.model.outline.logits
    pixels = await asyncio.to_thread(covered, run, stroke)
    before = {one: run.tensor(one) for one in filter(None, (name, logits))}
    after = before
    if pixels is not run.fitted.pixels:
        (after,) = await outputs_of(engine, run.model, run.network, [pixels], set(before))
    return BrushResult(
        pixels,
        # Copied: a slice would keep all feature maps of the step in memory.
        StepChange(name, before[name][channel].clone(), after[name][channel].clone()),
        StepChange(logits, before[logits], after[logits]) if logits else None,
    )
