"""A network whose steps can be held, and an engine that is let on step by step."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator

import torch
from torch import Tensor, nn

from app.services.engine.engine import StepResult
from app.vision.forward import forward_steps
from app.vision.statistics import statistics
from models.graph import Layer, Network, Step, conv, fc, flatten, relu
from tests.support.waiting import HANG

CPU = torch.device("cpu")


class Held(nn.Module):
    """Passes its input on once it is let; counts how often it was reached."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()
        self.reached = threading.Event()
        self.count = 0

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        self.reached.set()
        assert self.let.wait(HANG)
        return x


def toy(held: Held | None = None) -> Network:
    """conv, relu, perhaps a held step, a second conv, flatten, fc: over 4x4 pictures."""
    torch.manual_seed(0)
    layers = [conv("conv1", (3, 2), 3, 1, 1), relu("relu1")]
    if held is not None:
        layers.append(Layer(Step("held", "norm"), held))
    head = [conv("conv2", (2, 2), 1), flatten(), fc("fc", (32, 5))]
    return Network(4, [(1, layers), (None, head)]).eval()


class Stepping:
    """An engine in the event loop that gives one step each time `more` is released."""

    title = "by hand"

    def __init__(self) -> None:
        self.more = asyncio.Semaphore(0)
        self.passes = 0
        self.closed = 0

    def forward(self, network: Network, picture: Tensor) -> AsyncGenerator[StepResult]:
        self.passes += 1
        return self._steps(network, picture)

    async def _steps(self, network: Network, picture: Tensor) -> AsyncGenerator[StepResult]:
        try:
            for output in forward_steps(network, picture[None]):
                await self.more.acquire()
                (figures,) = statistics(output.tensor)
                yield StepResult(output.step, output.tensor[0], figures, output.seconds, 1)
        finally:
            self.closed += 1

    def stream(self, owner: str, make: Callable[[], Iterator[object]]) -> AsyncGenerator[object]:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    def let(self, steps: int = 18) -> None:
        for _ in range(steps):
            self.more.release()
