"""Projects a unit onto a run's picture: saliency (gradient), guided backprop, Grad-CAM, ….

Chooses the method and the unit to start from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor

from app.errors import UnknownStep
from app.services.runs.run import Run, StepRecord
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
    run: Run, record: StepRecord, channel: int, cell: tuple[int, int] | None, method: Method
) -> Tensor:
    """Project a unit: the given cell, else the mean of its feature map. The result is on the CPU.

    [3,S,S] for the picture, or for Grad-CAM [H,W] for the feature maps of `maps_before`. A unit
    after a ReLU is projected from before it. Raises `UnknownStep` if Grad-CAM has no maps.
    """
    network, picture = run.network, run.normalised
    name = before_relu(network, record.step.name)
    # A cell of a pooling is at another position in the map before it: use the whole map there.
    unit = Unit(name, channel, cell if run.spatial(name) else None)
    picture = picture.to(next(network.parameters()).device)
    if method != "grad_cam":
        return BACK[method](network, picture, unit).cpu()
    if (at := maps_before(run, name)) is None:
        raise UnknownStep(f"Before {record.step.name} there are no maps: it reads the picture.")
    return grad_cam(network, picture, unit, at).cpu()


def maps_before(run: Run, name: str) -> str | None:
    """The nearest feature maps that a unit's weighted sums read; None if they read the picture."""
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
