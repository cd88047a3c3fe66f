"""What does a network say to pictures that nobody stored: a few at once, or very many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import aclosing
from typing import TypeVar

import torch
from torch import Tensor

from app.errors import Busy
from app.pictures.preprocess import normalise
from app.services.engine.batching import activation_bytes
from app.services.engine.engine import Engine
from app.services.networks.catalogue import Model
from app.services.runs.run import preprocess
from models.graph import Network

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds that charts wait for the same person's charts before, and for a full queue."""

AT_ONCE = 32
AT_ONCE_BYTES = 128_000_000
"""Pictures of one pass and the bytes of their maps: interactive work waits no longer."""


async def outputs_of(
    engine: Engine,
    model: Model,
    network: Network,
    pictures: Sequence[Tensor],
    wanted: Collection[str],
) -> list[dict[str, Tensor]]:
    """What the steps `wanted` make of each of a few pictures, uint8 [3,S,S], as in their runs.

    Outputs are [C,H,W] or [K], by step, on the CPU. Raises `Busy`.
    """
    last = [step.name for step in network.steps if step.name in wanted][-1]

    async def one(pixels: Tensor) -> dict[str, Tensor]:
        # The engine puts what waits together into one pass.
        results = engine.forward(network, normalise(pixels, preprocess(model)), wanted)
        found: dict[str, Tensor] = {}
        async with aclosing(results) as steps:  # type: ignore[type-var]
            async for result in steps:
                if result.step.name in wanted:
                    found[result.step.name] = result.tensor
                if result.step.name == last:
                    break
        return found

    return list(await asyncio.gather(*(one(pixels) for pixels in pictures)))


async def logits_of(
    engine: Engine, model: Model, network: Network, pictures: Sequence[Tensor]
) -> list[Tensor]:
    """Logits [K] of each of a few pictures, uint8 [3,S,S], as in their runs. Raises `Busy`."""
    name = network.logits
    return [one[name] for one in await outputs_of(engine, model, network, pictures, {name})]


class Batches:
    """Asks a network for many pictures, in the thread where networks run."""

    def __init__(self, model: Model, network: Network) -> None:
        self._network = network
        self._prep = preprocess(model)
        self._device = next(network.parameters()).device
        room = AT_ONCE_BYTES // max(1, activation_bytes(network))
        self._room = max(1, min(AT_ONCE, room))

    def logits(self, pictures: Sequence[Tensor]) -> Iterator[Tensor]:
        """Logits [n,K] of as many pictures, uint8 [3,S,S], as go together, in order."""
        for start in range(0, len(pictures), self._room):
            batch = torch.stack(list(pictures[start : start + self._room])).to(self._device)
            # Left before the yield: whoever is given up there would leave the thread in it.
            with torch.inference_mode():
                logits = self._network(normalise(batch, self._prep)).cpu()
            yield logits


async def charted(engine: Engine, owner: str, make: Callable[[], Iterator[T]]) -> list[T]:
    """All items of a job that draws charts: long work, of which each person has one at a time.

    It does not stand in the way of the same person's attack. One that is asked for again waits
    for the one before. Raises `Busy`.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        items: list[T] = []
        try:
            async with aclosing(engine.stream(f"{owner} charts", make)) as stream:  # type: ignore[type-var]
                async for item in stream:
                    if not isinstance(item, int):
                        items.append(item)
            return items
        except Busy:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.05)
