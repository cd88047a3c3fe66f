"""Guided backpropagation: the gradient with only positive parts kept at every ReLU."""

from __future__ import annotations

from torch import Tensor

from app.vision.projections.backward import GuidedRelu, back
from app.vision.units import Unit
from models.graph import Network


def guided_backprop(network: Network, picture: Tensor, unit: Unit) -> Tensor:
    """The backward pass in which a ReLU passes on R = [x > 0] [R' > 0] R', [3,S,S].

    Source: Springenberg et al. 2014, arXiv 1412.6806. Its pictures are clear because they follow
    edges of the picture; other units give similar ones (Adebayo et al. 2018, arXiv 1810.03292).
    """
    return back(network, picture, unit, GuidedRelu.apply)
