"""API routes of runs: predictions and statistics, the network's input, activations, tables."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.pictures.preprocess import input_png, unit
from app.services.runs.arithmetic import checked_channel
from app.services.runs.run import Run, StepRecord, preprocess
from app.web.api.images import ImageId
from app.web.api.models import ModelId, StepName
from app.web.api.schemas import ERRORS, Prediction, PreprocessInfo, RunInfo, StepFigures
from app.web.core.file_responses import (
    Csv,
    Npy,
    Png,
    Version,
    csv_response,
    npy_response,
    png_response,
)
from app.web.core.state import ServicesDep

router = APIRouter(prefix="/runs/{model}/{image}", tags=["runs"], responses=ERRORS)

Channel = Annotated[int | None, Query(ge=0, description="Only this channel.")]


@router.get("", summary="Predictions and statistics of every step")
async def run_info(
    model: ModelId,
    image: ImageId,
    services: ServicesDep,
    top: Annotated[int, Query(ge=1, le=1000, description="How many classes.")] = 5,
) -> RunInfo:
    """Run the picture through the network, or return the cached run."""
    async with services.runs.listen(model, image) as run:
        await run.finish()
        return RunInfo(
            predictions=predictions(run, top),
            steps=[_figures(run, record) for record in run.records],
            preprocess=_preprocess(run),
        )


@router.get("/predictions.csv", response_class=Csv, summary="All classes as a table")
async def predictions_csv(model: ModelId, image: ImageId, services: ServicesDep) -> Response:
    """Likeliest first."""
    async with services.runs.listen(model, image) as run:
        await run.finish()
        rows = predictions(run, len(run.model.labels))
        wnids = {label.index: label.wnid for label in run.model.labels}
    head = ("index", "wnid", "label", "logit", "probability")
    body = [(r.index, wnids[r.index], r.label, r.logit, r.probability) for r in rows]
    return csv_response(head, body, f"{model}-{image}-predictions.csv")


@router.get("/input.npy", response_class=Npy, summary="The network's input")
async def input_npy(
    model: ModelId,
    image: ImageId,
    services: ServicesDep,
    normalised: Annotated[
        bool, Query(description="What the first step reads: (input - mean) / std.")
    ] = False,
    v: Version = "",
) -> Response:
    """Before normalisation: [3,S,S] in 0..1."""
    async with services.runs.listen(model, image) as run:
        values = run.normalised if normalised else unit(run.fitted.pixels)
        return await npy_response(values, run.model.row, v)


@router.get("/input.png", response_class=Png, summary="The network's input as a picture")
async def input_picture(
    model: ModelId, image: ImageId, services: ServicesDep, v: Version = ""
) -> Response:
    """S x S, pixel for pixel: uploaded again it is used unchanged."""
    async with services.runs.listen(model, image) as run:
        return png_response(input_png(run.fitted.pixels), run.model.row, v)


@router.get("/steps/{step}.npy", response_class=Npy, summary="Output of a step")
async def step_npy(
    model: ModelId,
    image: ImageId,
    step: StepName,
    services: ServicesDep,
    channel: Channel = None,
    v: Version = "",
) -> Response:
    """[C,H,W], [K] from flatten on; [H,W] for one channel."""
    async with services.runs.listen(model, image) as run:
        record = await run.record(step)
        values = run.tensor(step)
        if channel is not None:
            values = values[checked_channel(record, channel)]
        return await npy_response(values, run.model.row, v)


@router.get("/steps/{step}.csv", response_class=Csv, summary="Channels of a step as a table")
async def step_csv(
    model: ModelId, image: ImageId, step: StepName, services: ServicesDep, channel: Channel = None
) -> Response:
    """Range of each channel; with `channel`, the values of its map, row by row."""
    async with services.runs.listen(model, image) as run:
        record = await run.record(step)
        if channel is None:
            figures = record.statistics
            lows, peaks = figures.lows.tolist(), figures.peaks.tolist()
            rows = [(i, low, high) for i, (low, high) in enumerate(zip(lows, peaks, strict=True))]
            return csv_response(("channel", "min", "max"), rows, f"{model}-{image}-{step}.csv")
        values = run.tensor(step)[checked_channel(record, channel)]
    grid = values.view(1, 1) if values.ndim == 0 else values
    head = ("y\\x", *range(grid.shape[1]))
    name = f"{model}-{image}-{step}-{channel}.csv"
    # In a thread: a map of VGG16 has 50,000 numbers.
    return await asyncio.to_thread(
        lambda: csv_response(head, [(y, *row) for y, row in enumerate(grid.tolist())], name)
    )


def predictions(run: Run, count: int) -> list[Prediction]:
    """The likeliest classes with their labels."""
    labels = run.model.labels
    return [
        Prediction(
            index=one.index,
            label=labels[one.index].label,
            logit=one.logit,
            probability=one.probability,
        )
        for one in run.predictions(count)
    ]


def _figures(run: Run, record: StepRecord) -> StepFigures:
    step, figures = record.step, record.statistics
    return StepFigures(
        name=step.name,
        kind=step.kind,
        stage=step.stage,
        shape=list(run.model.geometry[step.name].shape),
        min=figures.min,
        max=figures.max,
        mean=figures.mean,
        zeros=figures.zeros,
        milliseconds=record.milliseconds,
        batch=record.batch,
    )


def _preprocess(run: Run) -> PreprocessInfo:
    prep, fitted = preprocess(run.model), run.fitted
    return PreprocessInfo(
        resize=prep.resize,
        crop=prep.crop,
        mean=list(prep.mean),
        std=list(prep.std),
        photo=list(fitted.photo),
        resized=list(fitted.resized),
        box=list(fitted.crop),
        untouched=fitted.untouched,
    )
