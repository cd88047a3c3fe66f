"""Runs: one picture's way through one network, shared by everyone who watches, kept for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from torch import Tensor

from app.errors import Cancelled, UnknownStep
from app.pictures.preprocess import Fitted, Preprocess, fit, normalise
from app.services.catalogue import Catalogue, Model
from app.services.engine import Engine, StepResult
from app.services.pictures import Pictures
from app.vision.predict import Ranked, top
from app.vision.statistics import Statistics
from models.graph import Network, Step

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """What is told of one finished step; its tensor stays with the run."""

    index: int
    step: Step
    statistics: Statistics
    milliseconds: float
    batch: int


class Run:
    """The steps of one picture in one network, as far as they are computed.

    Outputs that are a ReLU or a flattening of another are derived when asked for, not kept.
    """

    def __init__(self, model: Model, image: str) -> None:
        self.model = model
        self.image = image
        self.records: list[Record] = []
        self.finished = False
        self.bytes = 0
        self.listeners = 0
        self.task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._prepared: tuple[Fitted, Network] | None = None
        self._tensors: dict[str, Tensor] = {}
        self._places = {step.name: i for i, step in enumerate(model.outline.steps)}
        self._news = asyncio.Event()

    @property
    def key(self) -> Key:
        """Network and picture."""
        return self.model.id, self.image

    @property
    def fitted(self) -> Fitted:
        """The picture as the network gets it."""
        return self._ready()[0]

    @property
    def network(self) -> Network:
        """The network with its weights."""
        return self._ready()[1]

    @property
    def normalised(self) -> Tensor:
        """What the first step reads, [3,S,S]."""
        return normalise(self.fitted.pixels, preprocess(self.model))

    @property
    def seconds(self) -> float:
        """Time in the steps that are done."""
        return sum(record.milliseconds for record in self.records) / 1000

    async def prepared(self) -> None:
        """Wait until the picture is decoded and the run has its place in the queue.

        Raises what went wrong on the way: unknown picture, missing weights, busy.
        """
        while self._prepared is None:
            await self._next_news()

    async def follow(self, after: int = 0) -> AsyncIterator[Record]:
        """Records from number `after` on: those there already, then each as it arrives."""
        while True:
            while after < len(self.records):
                yield self.records[after]
                after += 1
            if self.finished:
                return
            await self._next_news()

    async def record(self, name: str) -> Record:
        """The record of a step, waited for. Raises `UnknownStep`."""
        place = self._place(name)
        while len(self.records) <= place:
            await self._next_news()
        return self.records[place]

    async def finish(self) -> None:
        """Wait for the last step."""
        while not self.finished:
            await self._next_news()

    def tensor(self, name: str) -> Tensor:
        """Output of a step that is done, [C,H,W] or [K]. Raises `UnknownStep`."""
        step = self.records[self._place(name)].step
        if name in self._tensors:
            return self._tensors[name]
        source = self.tensor(step.inputs[0])
        return source.clamp_min(0) if step.kind == "relu" else source.flatten()

    def maps(self, name: str, channels: Sequence[int]) -> Tensor:
        """Some channels of a step that is done, [N,H,W] or [N]: of a ReLU only these are derived.

        Raises `UnknownStep`.
        """
        step = self.records[self._place(name)].step
        if name not in self._tensors and step.kind == "relu":
            return self.maps(step.inputs[0], channels).clamp_min(0)
        return self.tensor(name)[list(channels)]

    def predictions(self, count: int) -> list[Ranked]:
        """The likeliest classes; empty until the logits are there, and for a partial network."""
        logits = self.model.outline.logits
        if not self.model.labels or len(self.records) <= self._places[logits]:
            return []
        return top(self.tensor(logits), count)

    def network_limit(self) -> float:
        """The largest magnitude in any map, for pictures on the network's scale."""
        return max(r.statistics.limit for r in self.records if self.spatial(r.step.name))

    def spatial(self, name: str) -> bool:
        """Whether a step's output has rows and columns."""
        return self.model.geometry[name].spatial

    def _ready(self) -> tuple[Fitted, Network]:
        if self._prepared is None:
            raise RuntimeError("the run has not been prepared")
        return self._prepared

    def _place(self, name: str) -> int:
        if name not in self._places:
            raise UnknownStep(f"{self.model.row.title} has no step called “{name[:60]}”.")
        return self._places[name]

    async def _next_news(self) -> None:
        if self._error:
            raise self._error
        await self._news.wait()

    def prepare(self, fitted: Fitted, network: Network) -> None:
        """The picture is ready and the pass is queued."""
        self._prepared = (fitted, network)
        self._tell()

    def append(self, result: StepResult) -> None:
        """Take in the next step."""
        step = result.step
        if step.kind not in ("relu", "flatten") or step.inputs[0] not in self._places:
            self._tensors[step.name] = result.tensor
            self.bytes += result.tensor.numel() * result.tensor.element_size()
        milliseconds = result.seconds * 1000
        self.records.append(
            Record(len(self.records), step, result.statistics, milliseconds, result.batch)
        )
        self._tell()

    def end(self, error: BaseException | None = None) -> None:
        """All steps are there, or something went wrong."""
        self._error = error
        self.finished = error is None
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Runs:
    """Starts, shares and stops runs; keeps finished ones within `budget` bytes.

    A run that nobody listens to is stopped after `linger` seconds: long enough for a page to
    travel to its browser and open the stream.
    """

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        pictures: Pictures,
        budget: int,
        linger: float = 0.5,
    ) -> None:
        self.linger = linger
        self._engine = engine
        self._catalogue = catalogue
        self._pictures = pictures
        self._budget = budget
        self._runs: OrderedDict[Key, Run] = OrderedDict()

    @asynccontextmanager
    async def listen(self, model: str, image: str) -> AsyncIterator[Run]:
        """A run that is prepared and goes on at least as long as this context.

        Raises `UnknownModel`, `UnknownPicture`, `WeightsMissing`, `Busy`.
        """
        run = self._find(self._catalogue.model(model), image)
        run.listeners += 1
        try:
            # A kept run may outlive its picture; nobody may see it then. Asked before `using`,
            # which keeps a picture here whose time is over.
            await asyncio.to_thread(self._pictures.require, image)
            with self._pictures.using(image):
                await run.prepared()
                yield run
        finally:
            run.listeners -= 1
            self._left(run)

    def forget(self, image: str) -> None:
        """Drop all runs of a picture that was deleted."""
        for run in self.all():
            if run.image == image:
                self._drop(run)
                self._cancel(run)

    def all(self) -> list[Run]:
        """Every run that goes on or is kept, the least recently used first."""
        return list(self._runs.values())

    @property
    def bytes(self) -> int:
        """Memory held by the maps of all runs."""
        return sum(run.bytes for run in self._runs.values())

    def stop(self) -> None:
        """Stop every run that is not finished: those who listen are told."""
        for run in self.all():
            self._cancel(run)

    def _find(self, model: Model, image: str) -> Run:
        key = (model.id, image)
        if key in self._runs:
            self._runs.move_to_end(key)
            return self._runs[key]
        run = self._runs[key] = Run(model, image)
        run.task = asyncio.create_task(self._drive(run))
        return run

    async def _drive(self, run: Run) -> None:
        try:
            network = await self._catalogue.network(run.model.id)
            fitted = await asyncio.to_thread(self._fit, run)
            picture = normalise(fitted.pixels, preprocess(run.model))
            results = self._engine.forward(network, picture)
            run.prepare(fitted, network)
            async with aclosing(results) as steps:  # type: ignore[type-var]
                async for result in steps:
                    run.append(result)
            run.end()
            self._shrink()
        except asyncio.CancelledError:
            self._drop(run)
            run.end(_stopped())
            raise
        except Exception as error:
            # Told to everyone who listens, each of whom raises it in their own request.
            self._drop(run)
            run.end(error)

    def _fit(self, run: Run) -> Fitted:
        return fit(self._pictures.open(run.image), preprocess(run.model))

    def _left(self, run: Run) -> None:
        if run.listeners == 0 and run.finished:
            self._shrink()
        elif run.listeners == 0:
            asyncio.get_running_loop().call_later(self.linger, self._stop_if_alone, run)

    def _stop_if_alone(self, run: Run) -> None:
        if run.listeners == 0 and not run.finished:
            self._drop(run)
            self._cancel(run)

    def _cancel(self, run: Run) -> None:
        if run.task and not run.task.done():
            run.task.cancel()
            # A task cancelled before it began never comes to its `except`.
            run.end(_stopped())

    def _drop(self, run: Run) -> None:
        if self._runs.get(run.key) is run:
            del self._runs[run.key]

    def _shrink(self) -> None:
        total = self.bytes
        # The newest stays, however large: a page asks for its sheets one by one.
        for run in self.all()[:-1]:
            if total <= self._budget:
                return
            if run.finished and run.listeners == 0:
                total -= run.bytes
                self._drop(run)


def _stopped() -> Cancelled:
    return Cancelled("This run was stopped. Please choose the picture again.")


def preprocess(model: Model) -> Preprocess:
    """How pictures become this network's input."""
    row = model.row
    return Preprocess(row.resize, row.crop, row.mean, row.std)
