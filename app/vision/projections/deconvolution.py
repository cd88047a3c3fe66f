"""What in the picture made the unit respond, by Zeiler and Fergus's deconvolutional network."""

from __future__ import annotations

from torch import Tensor

from app.vision.projections.backward import UpwardRelu, back
from app.vision.units import Unit
from models.graph import Network


def deconvolution(network: Network, picture: Tensor, unit: Unit) -> Tensor:
    """The pass back in which a ReLU lets through R = [R' > 0] R', [3,S,S].

    Max pooling is undone at the places of its winners (“switches”), where two windows share one
    both add to it; a convolution by its transpose. They project the strongest cell of a map.
    Source: Zeiler and Fergus 2013, arXiv 1311.2901, section 2.1.
    """
    return back(network, picture, unit, UpwardRelu.apply)
