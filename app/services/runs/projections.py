"""Projections of a unit on a run's picture: which method, asked of which unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor

from app.errors import UnknownStep
from app.services.runs.run import Record, Run
from app.vision.projections.deconvolution import deconvolution
from app.vision.projections.grad_cam import grad_cam
from app.vision.projections.gradient import gradient
from app.vision.projections.guided import guided_backprop
from app.vision.units import Unit, before_relu
from models.graph import INPUT, Network

Method = Literal["gradient", "guided", "deconvolution", "grad_cam"]
METHODS: tuple[Method, ...] = get_args(Method)

BACK: dict[Method, Callable[[Network, Tensor, Unit], Tensor]] = {
    "gradient": gradient,
    "guided": guided_backprop,
    "deconvolution": deconvolution,
}


def project(
    run: Run, record: Record, channel: int, cell: tuple[int, int] | None, method: Method
) -> Tensor:
    """Project a unit, the cell where one is named, else the mean of its map, on the CPU.

    [3,S,S] on the picture, or for Grad-CAM [H,W] on the maps that `maps_before` names. A unit
    after a ReLU is asked before it. Raises `UnknownStep` where Grad-CAM has no maps.
    """
    network, picture = run.network, run.normalised
    name = before_relu(network, record.step.name)
    # A pooling's cell lies elsewhere in the map before it: the whole map is asked there.
    unit = Unit(name, channel, cell if run.spatial(name) else None)
    picture = picture.to(next(network.parameters()).device)
    if method != "grad_cam":
        return BACK[method](network, picture, unit).cpu()
    if (at := maps_before(run, name)) is None:
        raise UnknownStep(f"Before {record.step.name} there are no maps: it reads the picture.")
    return grad_cam(network, picture, unit, at).cpu()


def maps_before(run: Run, name: str) -> str | None:
    """The nearest maps that a unit's sums are made of; None where they are the picture."""
    summed = False
    while True:
        step = run.model.outline.step(name)
        summed = summed or step.kind in ("conv", "fc")
        name = step.inputs[0]
        if name == INPUT:
            return None
        shape = run.model.geometry[name].shape
        if summed and len(shape) == 3 and shape[1] * shape[2] > 1:
            return name
