"""Grad-CAM: which positions of a layer's maps support a later unit, such as a class?"""

from __future__ import annotations

import torch
from torch import Tensor

from app.vision.partial_forward import gradient_of, partial_forward, steps_after
from app.vision.units import Unit
from models.graph import INPUT, Network


def grad_cam(network: Network, picture: Tensor, unit: Unit, at: str) -> Tensor:
    """sum over k of a_k A_k, [H,W], with a_k the mean of d unit / d A_k over the map A_k.

    `at` is the step whose maps A are weighted, the unit's own or one before it. Values below zero
    count against the unit; the paper shows max(0, map). Raises `ValueError` where `at` has no rows
    and columns or the unit does not depend on it. Source: Selvaraju et al. 2016, arXiv
    1610.02391.
    """
    if unit.step not in steps_after(network, at) | {at}:
        raise ValueError(f"nothing leads from {at} to {unit.step}")
    with torch.inference_mode(False):
        with torch.no_grad():
            maps = partial_forward(network, {INPUT: picture.detach().clone()[None]}, [at])[at]
        if maps.ndim != 4:
            raise ValueError(f"{at} has no rows and columns")
        with torch.enable_grad():
            maps.requires_grad_()
            weights = _gradient(network, maps, picture, unit, at).mean((2, 3), keepdim=True)
        return (weights * maps.detach()).sum(1)[0]


def _gradient(network: Network, maps: Tensor, picture: Tensor, unit: Unit, at: str) -> Tensor:
    given = {INPUT: picture.detach().clone()[None], at: maps}
    value = unit.value(partial_forward(network, given, [unit.step])[unit.step]).sum()
    return gradient_of(value, maps)
