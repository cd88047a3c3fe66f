"""How a network goes through the engine: the room its outputs take, where results are sent on."""

from __future__ import annotations

import math
from itertools import pairwise
from weakref import WeakKeyDictionary

from app.vision.geometry import geometry
from models.graph import Network

_known: WeakKeyDictionary[Network, int] = WeakKeyDictionary()


def activation_bytes(network: Network) -> int:
    """Bytes of all outputs of one picture, so that a batch of VGG16 does not fill the memory.

    Raises `ValueError` for a network whose sizes cannot be computed.
    """
    if network not in _known:
        shapes = (step.shape for step in geometry(network).values())
        _known[network] = 4 * sum(map(math.prod, shapes))
    return _known[network]


def bursts(network: Network) -> set[str]:
    """The steps after which results are sent: the first, and each before one that takes long.

    A ReLU takes less time than it takes to wake the event loop, which slows the next step down.
    """
    steps = network.steps
    before = {one.name for one, after in pairwise(steps) if after.kind in ("conv", "fc")}
    return {step.name for step in steps[:1]} | before
