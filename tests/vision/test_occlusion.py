"""The occlusion map against captum, and the order in which it comes."""

from __future__ import annotations

import pytest
import torch
from captum.attr import Occlusion  # type: ignore[import-untyped]

from app.vision.occlusion import OcclusionPatch, occlude
from app.vision.units import Unit
from models.graph import Network
from tests.support.captum_units import Asked, target
from tests.support.networks import embedded
from tests.support.small_networks import chain, graph, untouched

X = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(4))


def captums(
    network: Network, picture: torch.Tensor, unit: Unit, patch: OcclusionPatch, fill: float
) -> torch.Tensor:
    window, strides = (3, patch.side, patch.side), (3, patch.stride, patch.stride)
    occlusion = Occlusion(Asked(network, unit))
    found: torch.Tensor = occlusion.attribute(picture[None], window, strides, fill, target(unit))
    return found[0, 0].detach()


def over_pixels(drops: torch.Tensor, patch: OcclusionPatch, side: int) -> torch.Tensor:
    """The mean drop over all places that cover a pixel, as captum returns it: 0 where none does."""
    total, count = torch.zeros(side, side), torch.zeros(side, side)
    for y, (top, bottom) in enumerate(patch.places(side)):
        for x, (left, right) in enumerate(patch.places(side)):
            total[top:bottom, left:right] += float(drops[y, x])
            count[top:bottom, left:right] += 1
    return total / count.clamp_min(1)


@pytest.mark.parametrize(
    "patch",
    [OcclusionPatch(4, 4), OcclusionPatch(5, 2), OcclusionPatch(6, 4), OcclusionPatch(16, 1)],
)
@pytest.mark.parametrize(
    ("make", "unit"),
    [(graph, Unit("flatten", 2)), (graph, Unit("both", 7, (1, 1))), (graph, Unit("both", 0)),
     (chain, Unit("softmax", 1))],
)  # fmt: skip
def test_captum_agrees(make: type[Network], unit: Unit, patch: OcclusionPatch) -> None:
    network = make()  # type: ignore[call-arg]
    parts = list(occlude(network, X, unit, patch, 0.3, batch=3))
    rows = len(patch.places(16))
    assert [one.row for one in parts if one.column == 0] == list(range(rows))
    assert all(len(one.drops) <= 3 and one.column % 3 == 0 for one in parts)
    drops = torch.cat([one.drops for one in parts]).view(rows, rows)
    found = over_pixels(drops, patch, 16)
    torch.testing.assert_close(found, captums(network, X, unit, patch, 0.3), rtol=1e-3, atol=1e-5)
    assert untouched(network)


def test_captum_agrees_on_mini() -> None:
    network, picture = embedded(), torch.randn(3, 64, 64)
    unit, patch = Unit("fc7", 42), OcclusionPatch(24, 20)
    drops = torch.stack([one.drops for one in occlude(network, picture, unit, patch)])
    found = over_pixels(drops, patch, 64)
    torch.testing.assert_close(
        found, captums(network, picture, unit, patch, 0), rtol=1e-3, atol=1e-4
    )


def test_it_goes_on_where_it_was_stopped() -> None:
    network, unit, patch = graph(), Unit("flatten", 2), OcclusionPatch(4, 4)
    whole = list(occlude(network, X, unit, patch))
    rest = list(occlude(network, X, unit, patch, first=2))
    assert [one.row for one in rest] == [2, 3]
    for one, other in zip(rest, whole[2:], strict=True):
        assert torch.equal(one.drops, other.drops)


def test_a_patch_of_a_colour_and_an_edge_that_is_cut() -> None:
    assert OcclusionPatch(4, 3).places(10) == [(0, 4), (3, 7), (6, 10)]
    assert OcclusionPatch(4, 3).places(11) == [(0, 4), (3, 7), (6, 10), (9, 11)]
    grey = torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1)
    network = chain()
    (whole,) = occlude(network, X, Unit("fc2", 0), OcclusionPatch(16, 1), grey)
    covered = grey.expand(1, 3, 16, 16)
    drop = network(X[None])[0, 0] - network(covered)[0, 0]
    assert whole.drops.tolist() == pytest.approx([drop.item()], rel=1e-4)
    for patch in (OcclusionPatch(0, 1), OcclusionPatch(17, 1), OcclusionPatch(4, 0)):
        with pytest.raises(ValueError, match="patch"):
            patch.places(16)
