"""How far maps are apart, channel by channel."""

from __future__ import annotations

from torch import Tensor


def relative_distance(here: Tensor, there: Tensor) -> Tensor:
    """||b - a|| / sqrt(||a||^2 + ||b||^2) of each pair of maps, [N,...] and [N,...] -> [N].

    0 where they are the same, 1 where they have nothing in common (no cell is lit in both, or they
    are orthogonal), sqrt 2 where one is the other's negative; which of them is `here` makes no
    difference. 0 where both are zero everywhere. One map, [1,...], is compared with each.
    """
    a, b = here.double().flatten(1), there.double().flatten(1)
    whole = (a.square().sum(1) + b.square().sum(1)).sqrt()
    apart: Tensor = (b - a).norm(dim=1) / whole.where(whole > 0, whole + 1)
    return apart.float()


def largest_difference(here: Tensor, there: Tensor) -> Tensor:
    """The largest |b - a| over the cells of each pair of maps, [N,...] and [N,...] -> [N]."""
    return (there - here).abs().flatten(1).amax(1)
