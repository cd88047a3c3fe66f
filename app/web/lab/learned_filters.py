"""The learned filters of the default network's first layer, applied to a photo in the Lab."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from app.errors import BadRequest, LayerscopeError
from app.pictures.preprocess import normalise
from app.services.networks.catalogue import Model
from app.services.runs.run import preprocess
from app.vision.arithmetic.convolution import convolve
from app.vision.correlation import pearson
from app.vision.preset_kernels import PRESET_KERNELS, Kernel
from app.vision.window import Window
from app.web.core.state import Services
from app.web.lab.photo_view import Filtered, PhotoView, response
from models.graph import INPUT, Step


@dataclass(frozen=True, slots=True)
class Bank:
    """Colour kernels [K,3,kh,kw] of a network's first convolution, and their biases [K]."""

    model: Model
    step: Step
    weight: Tensor
    bias: Tensor

    def through(self, pixels: Tensor, filter: int) -> Filtered:
        """The response of one filter to a photo, uint8 [3,H,W], at every place: a signed map.

        The colours are normalised and the bias is added, as in the network; the stride is 1. Raises
        `BadRequest` for an unknown filter or a photo that is too small.
        """
        if filter >= (count := len(self.weight)):
            raise BadRequest(f"The learned filters run from 0 to {count - 1}, not {filter}.")
        window = Window((self.weight.shape[2], self.weight.shape[3]))
        if misfit := window.misfit((pixels.shape[1], pixels.shape[2])):
            raise BadRequest(misfit.replace(", or more padding", ""))
        inputs = normalise(pixels, preprocess(self.model))
        one = slice(filter, filter + 1)
        return Filtered(convolve(inputs, self.weight[one], window, self.bias[one])[0], True)

    def closest(self, pixels: Tensor, kernel: Kernel) -> int:
        """The filter whose response to a photo correlates most, in magnitude, with a kernel's.

        Measured where both are shown. 0 if no correlation is defined.
        """
        side = self.weight.shape[2]
        if Window((max(side, kernel.side),) * 2).misfit((pixels.shape[1], pixels.shape[2])):
            return 0
        inputs = normalise(pixels, preprocess(self.model))
        theirs, own = convolve(inputs, self.weight, Window((side, side))), response(pixels, kernel)
        found = [abs(pearson(own, one) or 0) for one in theirs]
        return max(range(len(found)), key=found.__getitem__)


async def bank(services: Services) -> Bank | None:
    """The default network's filters; None if its weights are missing or it reads no colours."""
    model = services.catalogue.model(services.settings.model)
    steps = [one for one in model.outline.steps if one.inputs == (INPUT,) and one.kind == "conv"]
    if not steps:
        return None
    try:
        module = (await services.catalogue.network(model.id)).module(steps[0].name)
    except LayerscopeError:
        return None
    if not isinstance(module, nn.Conv2d):
        return None
    weight = module.weight.detach().cpu()
    bias = torch.zeros(len(weight)) if module.bias is None else module.bias.detach().cpu()
    return Bank(model, steps[0], weight, bias)


def compared(pixels: Tensor, view: PhotoView, filter: int, learned: Filtered) -> str:
    """How a learned filter's response correlates with those of preset kernels, in a sentence."""
    mine = pearson(response(pixels, view.made), learned.values)
    if mine is None:
        return "One of the two results is the same everywhere: there is no pattern to compare."
    others = [(pearson(response(pixels, one), learned.values), one) for one in PRESET_KERNELS]
    known = [(r, one) for r, one in others if r is not None]
    r, best = max(known, key=lambda pair: abs(pair[0]))
    text = (
        f"On this photo filter {filter} and “{view.made.title}” respond {_alike(mine)}: "
        f"r = {_r(mine)}, where 1 is the same pattern, 0 nothing in common, −1 the opposite."
    )
    if view.filter < 0:
        text += " No other learned filter’s r is further from 0."
    if best.id == view.kernel:
        return f"{text} No other kernel in the list has an r further from 0."
    return (
        f"{text} In the list of kernels by hand “{best.title}” has the r furthest from 0, {_r(r)}."
    )


def _alike(r: float) -> str:
    if abs(r) < 0.3:
        return "to different things"
    strength = "very much" if abs(r) > 0.7 else "somewhat"
    return f"{strength} alike" if r > 0 else f"{strength} alike with opposite signs"


def _r(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
