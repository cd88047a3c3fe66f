"""How a network goes through the engine: the memory its outputs take, and when results are sent."""

from __future__ import annotations

import math
from itertools import pairwise
from weakref import WeakKeyDictionary

from app.vision.geometry import geometry
from models.graph import Network

_known: WeakKeyDictionary[Network, int] = WeakKeyDictionary()


def activation_bytes(network: Network) -> int:
    """Bytes of all activations of one picture; limits the batch size, so that memory suffices.

    Raises `ValueError` for a network whose sizes cannot be computed.
    """
    if network not in _known:
        shapes = (step.shape for step in geometry(network).values())
        _known[network] = 4 * sum(map(math.prod, shapes))
    return _known[network]


def steps_to_flush(network: Network) -> set[str]:
    """The steps after which results are sent: the first, and each before a slow step.

    A ReLU takes less time than waking the event loop does, which slows the next step down.
    """
    steps = network.steps
    before = {one.name for one, after in pairwise(steps) if after.kind in ("conv", "fc")}
    return {step.name for step in steps[:1]} | before
