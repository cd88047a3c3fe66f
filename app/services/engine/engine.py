"""The engine: one place where networks run, in two lanes, batched, bounded and cancellable."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from weakref import finalize

import torch
from torch import Tensor

from app.errors import Busy, Cancelled
from app.services.engine import device as devices
from app.services.engine.batching import activation_bytes, bursts
from app.services.engine.outbox import Outbox
from app.vision.forward import forward_steps
from app.vision.statistics import Statistics, statistics
from models.graph import Network, Step

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step for one picture: `tensor` on the CPU, [C,H,W] or [K].

    `seconds` is the step's time for the whole batch of `batch` pictures that went together.
    """

    step: Step
    tensor: Tensor
    statistics: Statistics
    seconds: float
    batch: int


class Engine(Protocol):
    """What the rest of the app knows of where networks run; a cluster could stand behind it."""

    @property
    def title(self) -> str:
        """The device in words."""

    def forward(
        self, network: Network, picture: Tensor, wanted: Collection[str] | None = None
    ) -> AsyncIterator[StepResult]:
        """Each step of one normalised picture, [3,S,S], as it is computed; or those `wanted`.

        Closing the iterator gives the work up. Raises `Busy`.
        """

    def stream(self, owner: str, make: Callable[[], Iterator[T]]) -> AsyncIterator[int | T]:
        """A long job, one item at a time, after all interactive work; one per owner.

        While it waits it yields its place in the queue as an `int`. Closing it gives it up.
        """

    async def close(self) -> None:
        """Give everything up."""


@dataclass(eq=False)
class _Forward:
    """A waiting or running forward pass; `items` carries its results, an exception, or the end."""

    network: Network
    picture: Tensor
    wanted: Collection[str] | None = None
    items: asyncio.Queue[StepResult | BaseException | None] = field(default_factory=asyncio.Queue)
    abandoned: bool = False


@dataclass(eq=False)
class _LongJob(Generic[T]):
    """A long job; `turn` asks for its next item, which `items` brings."""

    owner: str
    steps: Iterator[T]
    items: asyncio.Queue[T | BaseException | None] = field(default_factory=asyncio.Queue)
    wanted: bool = False
    abandoned: bool = False


class LocalEngine:
    """One compute thread on one device.

    Interactive passes go first and those of one network together, at most `batch` and at most
    `batch_bytes` of maps at a time; between them the long jobs take turns, an item each. Made
    inside a running event loop's thread; every method is called there.
    """

    def __init__(
        self,
        device: torch.device,
        *,
        queue: int = 64,
        batch: int = 16,
        batch_bytes: int = 256_000_000,
    ) -> None:
        self.device = device
        self.title = devices.title(device)
        self._limit = queue
        self._batch = batch
        self._batch_bytes = batch_bytes
        self._forwards: deque[_Forward] = deque()
        self._running: list[_Forward] = []
        self._advancing = False
        self._jobs: deque[_LongJob[object]] = deque()
        self._thread = ThreadPoolExecutor(1, "layerscope-compute")
        self._wake = asyncio.Event()
        self._closed = False
        self._dispatcher: asyncio.Task[None] | None = None

    def forward(
        self, network: Network, picture: Tensor, wanted: Collection[str] | None = None
    ) -> AsyncIterator[StepResult]:
        """See `Engine.forward`. Refused here and now, not at the first step.

        Raises `ValueError` for a network whose sizes cannot be computed.
        """
        if len(self._forwards) >= self._limit:
            raise Busy("Very many pictures are waiting. Please try again in a few seconds.")
        activation_bytes(network)
        request = _Forward(network, picture, wanted)
        self._forwards.append(request)
        self._start()
        results = self._results(request)
        # A generator that is closed before its first step never comes to its `finally`.
        finalize(results, self._give_up, request)
        return results

    async def _results(self, request: _Forward) -> AsyncIterator[StepResult]:
        try:
            while (item := await request.items.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._give_up(request)

    def _give_up(self, request: _Forward) -> None:
        request.abandoned = True
        if request in self._forwards:
            self._forwards.remove(request)

    async def stream(self, owner: str, make: Callable[[], Iterator[T]]) -> AsyncIterator[int | T]:
        """See `Engine.stream`."""
        if any(job.owner == owner for job in self._jobs):
            raise Busy("One long job of yours is running already. Stop it, or wait for it.")
        if len(self._jobs) >= self._limit:
            raise Busy("Very many long jobs are waiting. Please try again later.", retry_after=30)
        job: _LongJob[T] = _LongJob(owner, make())
        self._jobs.append(job)  # type: ignore[arg-type]
        try:
            yield self._jobs.index(job)  # type: ignore[arg-type]
            while True:
                # An item is computed only when it is asked for: a slow listener costs nothing.
                job.wanted = True
                self._start()
                item = await job.items.get()
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            job.abandoned = True
            self._jobs.remove(job)  # type: ignore[arg-type]
            if not self._closed:
                # Where passes run: a hook is never taken off a network under a running pass.
                self._thread.submit(_close, job.steps)

    async def close(self) -> None:
        """See `Engine.close`."""
        self._closed = True
        for request in (*self._forwards, *self._running):
            request.abandoned = True
            request.items.put_nowait(Cancelled("The server is stopping."))
        for job in self._jobs:
            job.items.put_nowait(Cancelled("The server is stopping."))
        self._wake.set()
        if self._dispatcher:
            await self._dispatcher
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def waiting(self) -> int:
        """Forward passes that have not begun."""
        return len(self._forwards)

    @property
    def jobs(self) -> int:
        """Long jobs that run or wait."""
        return len(self._jobs)

    @property
    def idle(self) -> bool:
        """Whether nothing runs or waits."""
        waiting = self._forwards or any(job.wanted for job in self._jobs)
        return not (waiting or self._running or self._advancing)

    def _start(self) -> None:
        if self._closed:
            raise Cancelled("The server is stopping.")
        if self._dispatcher is None:
            self._dispatcher = asyncio.create_task(self._dispatch())
        self._wake.set()

    async def _dispatch(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._closed:
            if self._forwards:
                self._running = self._take_batch()
                await loop.run_in_executor(self._thread, self._compute, loop, self._running)
                self._running = []
            elif job := self._next_job():
                job.wanted, self._advancing = False, True
                await loop.run_in_executor(self._thread, _advance, loop, job)
                self._advancing = False
            else:
                self._wake.clear()
                await self._wake.wait()

    def _take_batch(self) -> list[_Forward]:
        """The first in the queue and all that can go with it."""
        first = self._forwards[0]
        network, shape = first.network, first.picture.shape
        room = max(1, min(self._batch, self._batch_bytes // max(1, activation_bytes(network))))
        batch = [r for r in self._forwards if r.network is network and r.picture.shape == shape]
        batch = batch[:room]
        for request in batch:
            self._forwards.remove(request)
        return batch

    def _next_job(self) -> _LongJob[object] | None:
        """The next long job that wants an item; jobs take turns."""
        for _ in range(len(self._jobs)):
            job = self._jobs[0]
            self._jobs.rotate(-1)
            if job.wanted and not job.abandoned:
                return job
        return None

    def _compute(self, loop: asyncio.AbstractEventLoop, batch: list[_Forward]) -> None:
        """One batch through its network, in the compute thread; stops once nobody listens."""
        outbox: Outbox[StepResult | BaseException | None] = Outbox(loop)
        try:
            sending = bursts(batch[0].network)
            pictures = torch.stack([request.picture for request in batch]).to(self.device)
            for output in forward_steps(batch[0].network, pictures):
                if all(request.abandoned for request in batch):
                    return
                name = output.step.name
                asked = [i for i, r in enumerate(batch) if r.wanted is None or name in r.wanted]
                if not asked:
                    continue
                tensor = output.tensor.cpu()
                told = output.tensor if len(asked) == len(batch) else output.tensor[asked]
                for i, figures in zip(asked, statistics(told), strict=True):
                    # A slice would keep the whole batch in memory for as long as one run is kept.
                    own = tensor[i].clone() if len(batch) > 1 else tensor[i]
                    result = StepResult(output.step, own, figures, output.seconds, len(batch))
                    outbox.add(batch[i].items, result)
                if name in sending or batch[0].wanted is not None:
                    outbox.send()
        except Exception as error:  # told to every listener of this batch, who decide
            for request in batch:
                outbox.add(request.items, error)
        else:
            for request in batch:
                outbox.add(request.items, None)
        outbox.send()


def _advance(loop: asyncio.AbstractEventLoop, job: _LongJob[object]) -> None:
    """One item of a long job, in the compute thread."""
    try:
        item: object = next(job.steps, None)
    except Exception as error:  # told to the listener
        item = error
    if not loop.is_closed():
        loop.call_soon_threadsafe(job.items.put_nowait, item)


def _close(steps: Iterator[object]) -> None:
    """Let a job that was given up clean up after itself."""
    if isinstance(steps, Generator):
        steps.close()
