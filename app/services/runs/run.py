"""A run: the forward pass of one picture through one network, followed step by step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from torch import Tensor

from app.errors import UnknownStep
from app.pictures.preprocess import Fitted, Preprocess, normalise
from app.services.engine.engine import StepResult
from app.services.networks.catalogue import Model
from app.vision.predict import RankedClass, top
from app.vision.statistics import Statistics
from models.graph import INPUT, Network, Step

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """The description of one finished step; its tensor stays in the run."""

    index: int
    step: Step
    statistics: Statistics
    milliseconds: float
    batch: int


class Run:
    """The steps of one picture in one network, as far as they are computed.

    Outputs of ReLU and flattening are not stored, but computed from their inputs on request.
    """

    def __init__(self, model: Model, image: str) -> None:
        self.model = model
        self.image = image
        self.records: list[StepRecord] = []
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
        """Network, picture, and the digest of the weights, since a weights file may change."""
        return self.model.id, self.image, self.model.row.sha256

    @property
    def fitted(self) -> Fitted:
        """The picture as the network's input."""
        return self._ready()[0]

    @property
    def network(self) -> Network:
        """The network with its weights."""
        return self._ready()[1]

    @property
    def normalised(self) -> Tensor:
        """The normalised input of the first step, [3,S,S]."""
        return normalise(self.fitted.pixels, preprocess(self.model))

    @property
    def seconds(self) -> float:
        """Total time of the finished steps."""
        return sum(record.milliseconds for record in self.records) / 1000

    async def prepared(self) -> None:
        """Wait until the picture is decoded and the run is queued.

        Raises the run's error: unknown picture, missing weights, busy.
        """
        while self._prepared is None:
            await self._next_news()

    async def follow(self, after: int = 0) -> AsyncGenerator[StepRecord]:
        """Yield records from number `after` on: the finished ones, then each as it arrives."""
        while True:
            while after < len(self.records):
                yield self.records[after]
                after += 1
            if self.finished:
                return
            await self._next_news()

    async def record(self, name: str) -> StepRecord:
        """Wait for the record of a step and return it. Raises `UnknownStep`."""
        place = self._place(name)
        while len(self.records) <= place:
            await self._next_news()
        return self.records[place]

    async def finish(self) -> None:
        """Wait for the last step."""
        while not self.finished:
            await self._next_news()

    def tensor(self, name: str) -> Tensor:
        """Output of a finished step, [C,H,W] or [K]. Raises `UnknownStep`."""
        step = self.records[self._place(name)].step
        if name in self._tensors:
            return self._tensors[name]
        source = self.tensor(step.inputs[0])
        return source.clamp_min(0) if step.kind == "relu" else source.flatten()

    def output(self, name: str) -> Tensor:
        """As `tensor`; for `INPUT` the normalised input."""
        return self.normalised if name == INPUT else self.tensor(name)

    def maps(self, name: str, channels: Sequence[int]) -> Tensor:
        """Some channels of a finished step, [N,H,W] or [N]; of a ReLU only these are computed.

        Raises `UnknownStep`.
        """
        step = self.records[self._place(name)].step
        if name not in self._tensors and step.kind == "relu":
            return self.maps(step.inputs[0], channels).clamp_min(0)
        return self.tensor(name)[list(channels)]

    def predictions(self, count: int) -> list[RankedClass]:
        """The most likely classes; [] before the logits are computed and for a partial network."""
        logits = self.model.outline.logits
        if not self.model.labels or len(self.records) <= self._places[logits]:
            return []
        return top(self.tensor(logits), count)

    def network_limit(self) -> float:
        """The largest magnitude in any feature map, for colours on the network's scale."""
        return max(r.statistics.limit for r in self.records if self.spatial(r.step.name))

    def spatial(self, name: str) -> bool:
        """True if a step's output has rows and columns."""
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
        """Set the input and the network: the pass is queued."""
        self._prepared = (fitted, network)
        self._tell()

    def append(self, result: StepResult) -> None:
        """Add the result of the next step."""
        step = result.step
        if step.kind not in ("relu", "flatten") or step.inputs[0] not in self._places:
            self._tensors[step.name] = result.tensor
            self.bytes += result.tensor.numel() * result.tensor.element_size()
        milliseconds = result.seconds * 1000
        self.records.append(
            StepRecord(len(self.records), step, result.statistics, milliseconds, result.batch)
        )
        self._tell()

    def end(self, error: BaseException | None = None) -> None:
        """Mark the run as finished, or as failed with `error`."""
        self._error = error
        self.finished = error is None
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def preprocess(model: Model) -> Preprocess:
    """The preprocessing from a picture to this network's input."""
    row = model.row
    return Preprocess(row.resize, row.crop, row.mean, row.std)
