"""The engine: runs every network, batched, with a bounded queue, and cancellable.

It has two lanes: interactive forward passes, and long jobs that run between them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from weakref import finalize

import torch
from torch import Tensor

from app.errors import Busy, Cancelled, NotFinite
from app.services.engine import device as devices
from app.services.engine.batching import activation_bytes, steps_to_flush
from app.services.engine.outbox import Outbox
from app.services.engine.owner import Owner, owner_as
from app.vision.forward import forward_steps
from app.vision.interruption import interruptible
from app.vision.statistics import Statistics, statistics
from models.graph import Network, Step

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StepResult:
    """The output of one step for one picture: `tensor` on the CPU, [C,H,W] or [K].

    `seconds` is the step's time for the whole batch of `batch` pictures.
    """

    step: Step
    tensor: Tensor
    statistics: Statistics
    seconds: float
    batch: int


class Engine(Protocol):
    """The interface that the rest of the app uses to run networks; a cluster could implement it."""

    @property
    def title(self) -> str:
        """The device in words, for the page."""

    def forward(
        self, network: Network, picture: Tensor, step_names: Collection[str] | None = None
    ) -> AsyncGenerator[StepResult]:
        """Yield each step of one normalised picture, [3,S,S], as it is computed.

        With `step_names` only those steps. Closing it, or dropping it, cancels the work. Raises
        `Busy`, and `NotFinite` for the first step whose output is not finite.
        """

    def stream(self, owner: str, make: Callable[[], Iterator[T]]) -> AsyncGenerator[int | T]:
        """Run a long job item by item, after all interactive work; one job per owner.

        First yields its place in the queue as an `int`, 0 is next; `make` is called at its first
        turn. Whoever asks for a stream closes it (`aclosing`): that cancels the job. Raises `Busy`.
        """

    async def close(self) -> None:
        """Cancel all work."""


@dataclass(eq=False)
class _Forward:
    """A waiting or running forward pass; `items` gets results, an error, or None at the end."""

    network: Network
    picture: Tensor
    step_names: Collection[str] | None = None
    items: asyncio.Queue[StepResult | BaseException | None] = field(default_factory=asyncio.Queue)
    abandoned: bool = False


@dataclass(eq=False)
class _LongJob(Generic[T]):
    """A long job; `requested` asks for the next item, which arrives in `items`."""

    owner: Owner
    steps: Iterator[T]
    items: asyncio.Queue[T | BaseException | None] = field(default_factory=asyncio.Queue)
    requested: bool = False
    abandoned: bool = False


class LocalEngine:
    """An engine with one compute thread on one device.

    Interactive passes go first, those of one network as a batch of at most `batch` pictures and
    `batch_bytes` bytes of activations; between them the long jobs take turns, one item each. One
    address has at most half of the places. Create it in the thread of a running event loop, and
    call every method there.
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
        self._jobs: deque[_LongJob[Any]] = deque()
        self._thread = ThreadPoolExecutor(1, "layerscope-compute")
        self._wake = asyncio.Event()
        self._closed = False
        self._dispatcher: asyncio.Task[None] | None = None

    def forward(
        self, network: Network, picture: Tensor, step_names: Collection[str] | None = None
    ) -> AsyncGenerator[StepResult]:
        """See `Engine.forward`. Errors are raised by this call, not at the first step.

        Raises `ValueError` for a network whose sizes cannot be computed.
        """
        if len(self._forwards) >= self._limit:
            raise Busy("Very many pictures are waiting. Please try again in a few seconds.")
        activation_bytes(network)
        request = _Forward(network, picture, step_names)
        self._forwards.append(request)
        self._start()
        results = self._results(request)
        # A generator that is closed before its first step never runs its `finally`.
        finalize(results, self._give_up, request)
        return results

    async def _results(self, request: _Forward) -> AsyncGenerator[StepResult]:
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

    async def stream(self, owner: str, make: Callable[[], Iterator[T]]) -> AsyncGenerator[int | T]:
        """See `Engine.stream`."""
        mine = owner_as(owner)
        if any(job.owner.lane == mine.lane for job in self._jobs):
            raise Busy("One long job of yours is running already. Stop it, or wait for it.")
        here = sum(job.owner.address == mine.address for job in self._jobs) if mine.address else 0
        if len(self._jobs) >= self._limit or here >= self._limit // 2:
            raise Busy("Very many long jobs are waiting. Please try again later.", retry_after=30)
        job: _LongJob[T] = _LongJob(mine, _later(make))
        self._jobs.append(job)
        try:
            yield self._jobs.index(job)
            while True:
                # An item is computed only on request: a slow client costs nothing.
                job.requested = True
                self._start()
                item = await job.items.get()
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            job.abandoned = True
            self._jobs.remove(job)
            if not self._closed:
                # In the compute thread: a hook is never removed during a running pass.
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
        """Number of forward passes that have not started."""
        return len(self._forwards)

    @property
    def jobs(self) -> int:
        """Number of long jobs that run or wait."""
        return len(self._jobs)

    @property
    def idle(self) -> bool:
        """True if nothing runs or waits."""
        waiting = self._forwards or any(job.requested for job in self._jobs)
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
                job.requested, self._advancing = False, True
                await loop.run_in_executor(self._thread, _advance, loop, job)
                self._advancing = False
            else:
                self._wake.clear()
                await self._wake.wait()

    def _take_batch(self) -> list[_Forward]:
        """Take the first pass from the queue and all that fit into the same batch."""
        first = self._forwards[0]
        network, shape = first.network, first.picture.shape
        room = max(1, min(self._batch, self._batch_bytes // max(1, activation_bytes(network))))
        batch = [r for r in self._forwards if r.network is network and r.picture.shape == shape]
        batch = batch[:room]
        for request in batch:
            self._forwards.remove(request)
        return batch

    def _next_job(self) -> _LongJob[Any] | None:
        """The next long job with a requested item; jobs take turns."""
        for _ in range(len(self._jobs)):
            job = self._jobs[0]
            self._jobs.rotate(-1)
            if job.requested and not job.abandoned:
                return job
        return None

    def _compute(self, loop: asyncio.AbstractEventLoop, batch: list[_Forward]) -> None:
        """Run one batch in the compute thread; stop once every request is abandoned."""
        outbox: Outbox[StepResult | BaseException | None] = Outbox(loop)
        try:
            flush_steps = steps_to_flush(batch[0].network)
            pictures = torch.stack([request.picture for request in batch]).to(self.device)
            for output in forward_steps(batch[0].network, pictures):
                if all(request.abandoned for request in batch):
                    return
                name = output.step.name
                rows = [
                    i for i, r in enumerate(batch) if r.step_names is None or name in r.step_names
                ]
                if not rows:
                    continue
                tensor = output.tensor.cpu()
                part = output.tensor if len(rows) == len(batch) else output.tensor[rows]
                for i, figures in zip(rows, statistics(part), strict=True):
                    if not figures.finite:
                        outbox.add(batch[i].items, _not_finite(name))
                        outbox.send()
                        batch[i].abandoned = True
                        continue
                    # A slice would keep the whole batch in memory as long as one run is cached.
                    own = tensor[i].clone() if len(batch) > 1 else tensor[i]
                    result = StepResult(output.step, own, figures, output.seconds, len(batch))
                    outbox.add(batch[i].items, result)
                if name in flush_steps or batch[0].step_names is not None:
                    outbox.send()
        except Exception as error:  # raised in every request of this batch
            for request in batch:
                outbox.add(request.items, error)
        else:
            for request in batch:
                outbox.add(request.items, None)
        outbox.send()


def _not_finite(step: str) -> NotFinite:
    return NotFinite(
        f"At {step} this network computes numbers that are not finite (NaN or infinity); from here "
        "on nothing means anything. Its weights may be damaged or far too large."
    )


def _advance(loop: asyncio.AbstractEventLoop, job: _LongJob[object]) -> None:
    """Compute one item of a long job, in the compute thread."""
    try:
        with interruptible(lambda: job.abandoned):
            item: object = next(job.steps, None)
    except Exception as error:  # raised in the job's request
        item = error
    if not loop.is_closed():
        loop.call_soon_threadsafe(job.items.put_nowait, item)


def _later(make: Callable[[], Iterator[T]]) -> Iterator[T]:
    """The items of `make`, called in the thread that asks for them: it may copy a whole network."""
    yield from make()


def _close(steps: Iterator[object]) -> None:
    """Let a cancelled job clean up."""
    if isinstance(steps, Generator):
        steps.close()
