"""Occlusion maps of a run: computed row by row, cached, resumed where they were stopped."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Literal, get_args

import torch
from torch import Tensor

from app.errors import BadRequest, NoClassifier
from app.pictures.preprocess import normalise
from app.services.engine.batching import activation_bytes
from app.services.engine.engine import Engine
from app.services.interventions.cache import InterventionCache, batch_size
from app.services.interventions.results import OcclusionSoFar
from app.services.networks.catalogue import Model
from app.services.runs.run import Run, preprocess
from app.vision.occlusion import CoveredPlaces, OcclusionPatch, occlude
from app.vision.units import Unit

Fill = Literal["grey", "mean"]
FILLS: tuple[Fill, ...] = get_args(Fill)

MOST_PLACES = 4096
"""Most positions of the patch in one map: each needs a forward pass."""

COSTLY = 60_000_000
"""Bytes of activations above which the default map is coarser, as for VGG."""


@dataclass(frozen=True, slots=True)
class OcclusionRequest:
    """An occlusion map to compute: the drop of `unit` with a patch of `fill` at each position."""

    unit: Unit
    patch: OcclusionPatch
    fill: Fill = "grey"


def sides(size: int) -> tuple[int, ...]:
    """The offered patch sides for an input of `size` pixels."""
    return tuple(size * part // 16 for part in (2, 3, 4, 6))


def strides(size: int) -> tuple[int, ...]:
    """The offered strides for an input of `size` pixels."""
    return tuple(size // part for part in (32, 16, 8))


def default_patch(model: Model) -> OcclusionPatch:
    """The default patch, which gives a map within seconds: 3/16 of the side.

    AlexNet and `mini` take 196 passes, much more expensive networks 49 to 64.
    """
    size = model.outline.input_size
    fine = activation_bytes(model.outline) <= COSTLY
    return OcclusionPatch(sides(size)[1], strides(size)[1 if fine else 2])


def checked_patch(model: Model, side: int | None, stride: int | None) -> OcclusionPatch:
    """The requested patch, or the default. Raises `BadRequest`."""
    size, normal = model.outline.input_size, default_patch(model)
    patch = OcclusionPatch(
        normal.side if side is None else side, normal.stride if stride is None else stride
    )
    if not 1 <= patch.side <= size:
        raise BadRequest(
            f"A patch for {model.row.title} has a side of 1 to {size} pixels, as its input has; "
            f"not {patch.side}."
        )
    if not 1 <= patch.stride <= size:
        raise BadRequest(f"A patch moves by 1 to {size} pixels, not {patch.stride}.")
    if (places := len(patch.places(size)) ** 2) > MOST_PLACES:
        raise BadRequest(
            f"That would be {places} places, each a whole pass; at most {MOST_PLACES} are "
            "computed. Take a longer stride or a larger patch."
        )
    return patch


def probability_of(model: Model, index: int) -> Unit:
    """A class's probability as a unit. Raises `NoClassifier`."""
    last = model.outline.steps[-1]
    if last.kind != "softmax":
        raise NoClassifier(
            f"{model.row.title} ends at {last.name}: without a classifier there is no class "
            "whose probability could drop. The map's own value can be asked about."
        )
    return Unit(last.name, index)


def cached_map(cache: InterventionCache, run: Run, request: OcclusionRequest) -> OcclusionSoFar:
    """The map as far as it is cached; without rows if nothing is."""
    key = (run.key, request)
    if (occlusion := cache.occlusions.get(key)) is None:
        size = run.model.outline.input_size
        count = len(request.patch.places(size))
        whole = request.unit.value(run.tensor(request.unit.step)[None]).item()
        occlusion = OcclusionSoFar(torch.zeros(count, count), whole)
        cache.occlusions.put(key, occlusion, 4 * count**2 + 500)
    return occlusion


async def rows(
    engine: Engine, cache: InterventionCache, owner: str, run: Run, request: OcclusionRequest
) -> AsyncGenerator[int | OcclusionSoFar]:
    """Yield the place in the queue, then the map after each new row, resumed where it stopped.

    Raises `Busy`. Computed rows stay cached when the client disconnects.
    """
    occlusion = cached_map(cache, run, request)
    network, size = run.network, run.model.outline.input_size
    device = next(network.parameters()).device
    picture = run.normalised.to(device)
    make = partial(
        occlude, network, picture, request.unit, request.patch,
        _fill(run, request.fill).to(device), batch_size(network), occlusion.done,
    )  # fmt: skip
    columns = len(request.patch.places(size))
    async with aclosing(engine.stream(owner, partial(_timed, make))) as items:
        async for item in items:
            if isinstance(item, int):
                yield item
                continue
            part, seconds = item
            end = part.column + len(part.drops)
            occlusion.drops[part.row, part.column : end] = part.drops.cpu()
            occlusion.seconds += seconds
            if end == columns:
                occlusion.done = max(occlusion.done, part.row + 1)
                yield occlusion


def _timed(make: partial[Iterator[CoveredPlaces]]) -> Iterator[tuple[CoveredPlaces, float]]:
    """Yield each part with its compute time in seconds, without waiting time."""
    parts = make()
    while True:
        started = perf_counter()
        if (part := next(parts, None)) is None:
            return
        yield part, perf_counter() - started


def _fill(run: Run, fill: Fill) -> Tensor:
    """The patch's normalised colour, [3,1,1]; the mean of the training pictures is 0."""
    grey = torch.full((3, 1, 1), 128, dtype=torch.uint8)
    return normalise(grey, preprocess(run.model)) if fill == "grey" else torch.zeros(3, 1, 1)
