"""API routes of the networks: their steps, classes and parameters."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from torch import nn

from app.errors import UnknownStep
from app.pictures.filters import colour_filters, kernel_slices, slice_order
from app.services.networks.catalogue import Model
from app.services.networks.loading import weights_digest
from app.services.runs.sheets import version
from app.web.api.schemas import ERRORS, LabelInfo, ModelInfo, StepInfo, WeightsState
from app.web.core.file_responses import (
    Npy,
    Png,
    Version,
    npy_response,
    npy_stream,
    png_response,
)
from app.web.core.state import Services, ServicesDep
from models.graph import Step

router = APIRouter(tags=["networks"], responses=ERRORS)

ModelId = Annotated[str, Path(description="Id of a network.", examples=["mini"])]
StepName = Annotated[str, Path(description="Name of a step.", examples=["conv1"])]


@router.get("/models", summary="All networks")
async def models(
    services: ServicesDep,
    random: Annotated[
        bool, Query(description="Also every network's twin with random weights.")
    ] = False,
) -> list[ModelInfo]:
    """Every network with its steps: shapes, windows, receptive fields.

    Each has a twin `<id>-random`, valid wherever an id is: the same steps with random weights (He
    initialisation, a fixed seed), without any file. It is listed with `random=true`.
    """
    default, catalogue = services.settings.model, services.catalogue
    known = [*catalogue.models(), *(catalogue.twins() if random else ())]
    return [_model_info(model, default) for model in known]


@router.get("/models/{model}/labels", summary="The classes of a network")
async def labels(model: ModelId, services: ServicesDep) -> list[LabelInfo]:
    """In the order of the network's outputs."""
    return [
        LabelInfo(index=one.index, wnid=one.wnid, label=one.label, synset=one.synset)
        for one in services.catalogue.model(model).labels
    ]


@router.get(
    "/models/{model}/steps/{step}/weight.npy", response_class=Npy, summary="Weights of a step"
)
async def weight(
    request: Request,
    model: ModelId,
    step: StepName,
    services: ServicesDep,
    channel: Annotated[
        int | None, Query(ge=0, description="Only the weights of this output channel.")
    ] = None,
    v: Version = "",
) -> Response:
    """conv: [out, in, kh, kw]; fc: [out, in]; of one channel without out. Float32, .npy 1."""
    module = await _module(services, model, step)
    weight = module.weight if channel is None else module.weight[_checked(module, step, channel)]
    known = services.catalogue.model(model)
    digest = await asyncio.to_thread(weights_digest, known.entry)
    tag = f"{version(known.row)}-{digest[:16]}-{step}-{channel}"
    return npy_stream(request, weight, known.row, tag, v)


@router.get("/models/{model}/steps/{step}/bias.npy", response_class=Npy, summary="Biases of a step")
async def bias(model: ModelId, step: StepName, services: ServicesDep, v: Version = "") -> Response:
    """[out]; zeros if the step has no bias."""
    module = await _module(services, model, step)
    values = module.weight.new_zeros(len(module.weight)) if module.bias is None else module.bias
    return await npy_response(values, services.catalogue.model(model).row, v)


@router.get(
    "/models/{model}/steps/{step}/filters.png",
    response_class=Png,
    summary="Kernels of a convolution",
)
async def filters(
    model: ModelId,
    step: StepName,
    services: ServicesDep,
    channel: Annotated[
        int | None, Query(ge=0, description="One kernel, a slice for each input map.")
    ] = None,
    v: Version = "",
) -> Response:
    """If a step reads colours, each kernel as a colour tile, zero as mid grey.

    Deeper kernels have a slice for each input map: name the `channel`; its strongest slices come
    first, in the palette of signed values.
    """
    module = await _module(services, model, step)
    if not isinstance(module, nn.Conv2d):
        raise UnknownStep(f"“{step}” is not a convolution: it has weights, but no kernels to draw.")
    row = services.catalogue.model(model).row
    if module.in_channels == 3 and channel is None:
        return png_response(colour_filters(module.weight).png, row, v)
    kernel = module.weight[_checked(module, step, channel or 0)].detach()
    return png_response(kernel_slices(kernel, slice_order(kernel)).png, row, v)


async def _module(services: Services, model: str, name: str) -> nn.Conv2d | nn.Linear:
    """A step that has weights. Raises `UnknownStep`."""
    known = services.catalogue.model(model)
    if name not in known.geometry:
        raise UnknownStep(f"{known.row.title} has no step called “{name[:60]}”.")
    module = (await services.catalogue.network(model)).module(name)
    if not isinstance(module, nn.Conv2d | nn.Linear):
        raise UnknownStep(f"“{name}” has no weights: it computes without any.")
    return module


def _checked(module: nn.Conv2d | nn.Linear, step: str, channel: int) -> int:
    """The index of an output channel. Raises `UnknownStep`."""
    if channel >= (count := len(module.weight)):
        raise UnknownStep(f"{step} has channels 0 to {count - 1}, not {channel}.")
    return channel


def _model_info(model: Model, default: str) -> ModelInfo:
    return ModelInfo(
        id=model.id,
        title=model.row.title,
        about=model.row.about,
        input_size=model.outline.input_size,
        classes=len(model.labels),
        parameters=model.parameters,
        default=model.id == default,
        weights=WeightsState(state=model.state, verified=model.entry.verified),
        steps=[_step_info(model, step) for step in model.outline.steps],
    )


def _step_info(model: Model, step: Step) -> StepInfo:
    where = model.geometry[step.name]
    return StepInfo(
        name=step.name,
        kind=step.kind,
        inputs=list(step.inputs),
        stage=step.stage,
        shape=list(where.shape),
        kernel=step.kernel and list(step.kernel),
        stride=step.stride and list(step.stride),
        padding=step.padding and list(step.padding),
        receptive_field=where.receptive_field,
    )
