"""How far apart are feature maps, channel by channel?"""

from __future__ import annotations

from torch import Tensor


def relative_distance(here: Tensor, there: Tensor) -> Tensor:
    """||b - a|| / sqrt(||a||^2 + ||b||^2) of each pair of maps, [N,...] and [N,...] -> [N].

    0 where they are equal, 1 where they are orthogonal (for example no cell is active in both),
    sqrt 2 where one is the other's negative; 0 where both are zero everywhere. Symmetric in its
    arguments. A single map, [1,...], is compared with each of the others.
    """
    a, b = here.double().flatten(1), there.double().flatten(1)
    whole = (a.square().sum(1) + b.square().sum(1)).sqrt()
    apart: Tensor = (b - a).norm(dim=1) / whole.where(whole > 0, whole + 1)
    return apart.float()


def largest_difference(here: Tensor, there: Tensor) -> Tensor:
    """The largest |b - a| over the cells of each pair of maps, [N,...] and [N,...] -> [N]."""
    return (there - here).abs().flatten(1).amax(1)
