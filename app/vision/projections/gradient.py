"""Gradient (saliency): which pixels change the unit most when they change a little?"""

from __future__ import annotations

from torch import Tensor

from app.vision.projections.backward import back
from app.vision.units import Unit
from models.graph import Network


def gradient(network: Network, picture: Tensor, unit: Unit) -> Tensor:
    """d unit / d x, [3,S,S].

    Source: Simonyan, Vedaldi, Zisserman 2013, arXiv 1312.6034.
    """
    return back(network, picture, unit)
