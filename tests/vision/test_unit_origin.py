"""Where a unit is asked what it responds to: the channel that made it, before any ReLU."""

from __future__ import annotations

import pytest

from app.vision.geometry import geometry
from app.vision.unit_origin import origin
from models.graph import Network
from tests.support.small_networks import chain, graph


def found(network: Network, step: str, channel: int | None) -> tuple[str, int | None]:
    counts = {name: where.shape[0] for name, where in geometry(network).items()}
    return origin(network, counts, step, channel)


@pytest.mark.parametrize(
    ("step", "channel", "home"),
    [
        ("conv1", 2, ("conv1", 2)),
        ("norm1", 2, ("norm1", 2)),
        ("relu1", 2, ("norm1", 2)),
        ("pool1", 2, ("norm1", 2)),
        ("right_relu", 4, ("right", 4)),
        # The left branch has four channels: of nine, the last five are the right one's.
        ("both", 3, ("left", 3)),
        ("both", 4, ("right", 0)),
        ("both", 8, ("right", 4)),
        ("both", None, ("both", None)),
        ("avgpool", 1, ("last", 1)),
        ("flatten", 1, ("last", 1)),
        ("softmax", 3, ("last", 3)),
        ("pool1", None, ("norm1", None)),
    ],
)
def test_of_a_graph(step: str, channel: int | None, home: tuple[str, int | None]) -> None:
    assert found(graph(), step, channel) == home


@pytest.mark.parametrize(
    ("step", "home"),
    [("pool2", "conv2"), ("flatten", "flatten"), ("relu3", "fc1"), ("softmax", "fc2")],
)
def test_of_a_chain(step: str, home: str) -> None:
    assert found(chain(), step, 3) == (home, 3)
