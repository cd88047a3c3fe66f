"""Deconvolution (Zeiler and Fergus): which pattern in the picture activates a unit?"""

from __future__ import annotations

from torch import Tensor

from app.vision.projections.backward import UpwardRelu, back
from app.vision.units import Unit
from models.graph import Network


def deconvolution(network: Network, picture: Tensor, unit: Unit) -> Tensor:
    """The backward pass in which a ReLU passes on R = [R' > 0] R', [3,S,S].

    Max pooling is inverted at the positions of its maxima (“switches”), where windows that share
    one add up; a convolution by its transpose. The paper projects a map's strongest cell.
    Source: Zeiler and Fergus 2013, arXiv 1311.2901, section 2.1.
    """
    return back(network, picture, unit, UpwardRelu.apply)
