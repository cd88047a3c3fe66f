"""Files of an attack: pictures and table of its steps, as long as its trace is cached."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.pictures.difference import difference_png
from app.pictures.preprocess import input_png
from app.services.attacks.job import SHOWN
from app.services.attacks.traces import Trace
from app.web.core.file_responses import csv_response, file_response
from app.web.core.state import ServicesDep

router = APIRouter(prefix="/trace")

Amplify = Annotated[float, Query(ge=0.1, le=255, allow_inf_nan=False)]


@router.get("/{key}/control.png")
async def control(key: str, services: ServicesDep) -> Response:
    """The picture with random noise of the same size."""
    pixels = services.traces.find(key).control()
    return file_response(await asyncio.to_thread(input_png, pixels), "image/png", True)


@router.get("/{key}/control/noise.png")
async def control_noise(key: str, services: ServicesDep, amplify: Amplify = 1) -> Response:
    """The control's noise on mid grey."""
    trace = services.traces.find(key)
    png = await asyncio.to_thread(difference_png, trace.start, trace.control(), amplify)
    return file_response(png, "image/png", True)


@router.get("/{key}/{step}.png")
async def picture(key: str, step: int, services: ServicesDep, save: bool = False) -> Response:
    """A step's picture, exactly the 8 bits that the network classified."""
    pixels = services.traces.find(key).pixels(step)
    name = f"layerscope-attacked-{step}.png" if save else ""
    return file_response(await asyncio.to_thread(input_png, pixels), "image/png", True, name)


@router.get("/{key}/{step}/noise.png")
async def noise(
    key: str, step: int, services: ServicesDep, amplify: Amplify = 1, save: bool = False
) -> Response:
    """The perturbation at a step, amplified by `amplify`, on mid grey."""
    trace = services.traces.find(key)
    png = await asyncio.to_thread(difference_png, trace.start, trace.pixels(step), amplify)
    name = f"layerscope-noise-{step}-times-{amplify:g}.png" if save else ""
    return file_response(png, "image/png", True, name)


@router.get("/{key}.csv")
async def steps(key: str, services: ServicesDep) -> Response:
    """A line for each step, with its five likeliest classes."""
    classes = (
        f"{name}_{rank}"
        for rank in range(1, SHOWN + 1)
        for name in ("class", "label", "logit", "probability")
    )
    head = ["step", "linf", "l2", "flipped", "repaired", "target_probability", *classes]
    return csv_response(head, _lines(services.traces.find(key)), "layerscope-attack.csv")


def _lines(trace: Trace) -> Iterator[tuple[object, ...]]:
    before = trace.moments[0].predictions[0].index
    for moment in trace.moments:
        target = "" if moment.target_probability is None else moment.target_probability
        flipped = int(moment.predictions[0].index != before)
        figures = (moment.step, moment.linf, moment.l2, flipped, int(moment.repaired), target)
        classes = (
            value
            for one in moment.predictions
            for value in (one.index, trace.labels[one.index].label, one.logit, one.probability)
        )
        yield *figures, *classes
