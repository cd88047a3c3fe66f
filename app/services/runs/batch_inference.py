"""Predictions for pictures that are not stored, a few or very many; the long jobs of charts."""

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
from app.services.engine.owner import owner_as
from app.services.networks.catalogue import Model
from app.services.runs.run import preprocess
from app.vision.predict import finite_scores
from models.graph import Network

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds that a chart job waits for the same user's previous one, or for a full queue."""

AT_ONCE = 32
AT_ONCE_BYTES = 128_000_000
"""Limits of a batch: pictures, and bytes of their activations; interactive work waits for one."""


async def outputs_of(
    engine: Engine,
    model: Model,
    network: Network,
    pictures: Sequence[Tensor],
    step_names: Collection[str],
) -> list[dict[str, Tensor]]:
    """The outputs of the named steps for each of a few pictures, uint8 [3,S,S].

    Outputs are [C,H,W] or [K], by step, on the CPU, the same as in a run. Raises `Busy`.
    """
    last = [step.name for step in network.steps if step.name in step_names][-1]

    async def one(pixels: Tensor) -> dict[str, Tensor]:
        # The engine batches the waiting pictures.
        results = engine.forward(network, normalise(pixels, preprocess(model)), step_names)
        outputs: dict[str, Tensor] = {}
        async with aclosing(results) as steps:
            async for result in steps:
                if result.step.name in step_names:
                    outputs[result.step.name] = result.tensor
                if result.step.name == last:
                    break
        return outputs

    return list(await asyncio.gather(*(one(pixels) for pixels in pictures)))


async def logits_of(
    engine: Engine, model: Model, network: Network, pictures: Sequence[Tensor]
) -> list[Tensor]:
    """Logits [K] of each of a few pictures, uint8 [3,S,S], as in a run. Raises `Busy`."""
    name = network.logits
    return [one[name] for one in await outputs_of(engine, model, network, pictures, {name})]


class Batches:
    """Computes the logits of many pictures in batches, in the compute thread."""

    def __init__(self, model: Model, network: Network) -> None:
        self._network = network
        self._prep = preprocess(model)
        self._device = next(network.parameters()).device
        room = AT_ONCE_BYTES // max(1, activation_bytes(network))
        self._room = max(1, min(AT_ONCE, room))

    def logits(self, pictures: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield the logits [n,K] of each batch of the pictures, uint8 [3,S,S], in order.

        Raises `NotFinite`.
        """
        for start in range(0, len(pictures), self._room):
            batch = torch.stack(list(pictures[start : start + self._room])).to(self._device)
            # Not around the yield: a cancelled job would leave the thread in inference mode.
            with torch.inference_mode():
                logits = self._network(normalise(batch, self._prep)).cpu()
            yield finite_scores(logits)


async def run_chart_job(engine: Engine, owner: str, make: Callable[[], Iterator[T]]) -> list[T]:
    """Run a chart's long job and return all its items; each user has one such job at a time.

    It does not block the same user's attack. A second one waits for the first. Raises `Busy`.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        items: list[T] = []
        try:
            async with aclosing(engine.stream(owner_as(owner).beside("charts"), make)) as stream:
                async for item in stream:
                    if not isinstance(item, int):
                        items.append(item)
            return items
        except Busy:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.05)
