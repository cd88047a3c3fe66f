"""Services over a temporary folder, and a network whose steps can be held."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from app.services import fetch as fetching
from app.services.catalogue import Catalogue
from app.services.engine import LocalEngine, StepResult
from app.services.pictures import Pictures
from app.services.runs import Runs
from app.vision.forward import forward_steps
from app.vision.statistics import statistics
from models.graph import Layer, Network, Step, conv, fc, flatten, relu
from tests.services.naughty import BODY, Naughty, serving

CPU = torch.device("cpu")
DEADLINE = 10.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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
        assert self.let.wait(DEADLINE)
        return x


def toy(held: Held | None = None) -> Network:
    """conv, relu, perhaps a held step, a second conv, flatten, fc: over 4x4 pictures."""
    torch.manual_seed(0)
    layers = [conv("conv1", (3, 2), 3, 1, 1), relu("relu1")]
    if held is not None:
        layers.append(Layer(Step("held", "norm"), held))
    head = [conv("conv2", (2, 2), 1), flatten(), fc("fc", (32, 5))]
    return Network(4, [(1, layers), (None, head)]).eval()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another task or thread brings about."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.fixture
async def engine() -> AsyncIterator[LocalEngine]:
    made = LocalEngine(CPU, queue=8)
    yield made
    await made.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path)


@pytest.fixture
async def runs(engine: LocalEngine, pictures: Pictures) -> Runs:
    return Runs(engine, Catalogue(CPU, 10**9), pictures, 10**9, linger=0.01)


class Stepping:
    """An engine in the event loop that gives one step each time `more` is released."""

    title = "by hand"

    def __init__(self) -> None:
        self.more = asyncio.Semaphore(0)
        self.passes = 0
        self.closed = 0

    def forward(self, network: Network, picture: Tensor) -> AsyncIterator[StepResult]:
        self.passes += 1
        return self._steps(network, picture)

    async def _steps(self, network: Network, picture: Tensor) -> AsyncIterator[StepResult]:
        try:
            for output in forward_steps(network, picture[None]):
                await self.more.acquire()
                (figures,) = statistics(output.tensor)
                yield StepResult(output.step, output.tensor[0], figures, output.seconds, 1)
        finally:
            self.closed += 1

    def stream(self, owner: str, make: Callable[[], Iterator[object]]) -> AsyncIterator[object]:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    def let(self, steps: int = 18) -> None:
        for _ in range(steps):
            self.more.release()


@pytest.fixture
async def stepping() -> Stepping:
    return Stepping()


@pytest.fixture
async def slow(stepping: Stepping, pictures: Pictures) -> Runs:
    return Runs(stepping, Catalogue(CPU, 10**9), pictures, 10**9, linger=0.01)  # type: ignore[arg-type]


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server(direct: None) -> Iterator[Naughty]:
    """A server of `BODY` that behaves until it is told not to."""
    with serving(BODY) as server:
        yield server


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes from each small chunk to the next, so that all are reported."""
    monkeypatch.setattr(fetching, "monotonic", itertools.count().__next__)
    monkeypatch.setattr(fetching, "CHUNK", 10_000)
