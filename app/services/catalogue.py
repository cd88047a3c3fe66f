"""The networks that can be chosen: what they are, and their loaded selves within a budget."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from app.errors import UnknownModel
from app.services.weights import load
from app.vision.geometry import Geometry, geometry
from models import registry
from models.classes import Label, read_labels
from models.graph import Network
from models.weights import TABLE, Weights

State = Literal["embedded", "ready", "partial", "downloadable"]


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a network without its weights.

    `outline` is the network on the meta device: steps and parameter shapes, no values.
    """

    row: Weights
    outline: Network
    geometry: dict[str, Geometry]
    labels: tuple[Label, ...]
    parameters: int

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def state(self) -> State:
        return "embedded" if self.row.embedded else "ready"


class Catalogue:
    """Networks by id, loaded on first use; beyond `budget` bytes the least used is unloaded."""

    def __init__(
        self,
        device: torch.device,
        budget: int,
        rows: Sequence[Weights] = TABLE,
        loader: Callable[[Weights], Network] = load,
    ) -> None:
        self._device = device
        self._budget = budget
        self._rows = {row.id: row for row in rows}
        self._loader = loader
        self._models: dict[str, Model] = {}
        self._loaded: OrderedDict[str, Network] = OrderedDict()
        self._lock = asyncio.Lock()

    def models(self) -> list[Model]:
        """Every network, in the table's order."""
        return [self.model(id) for id in self._rows]

    def model(self, id: str) -> Model:
        """The network of that id. Raises `UnknownModel`."""
        if id not in self._rows:
            known = ", ".join(self._rows)
            raise UnknownModel(f"There is no network called “{id[:60]}”. There are: {known}.")
        if id not in self._models:
            self._models[id] = _describe(self._rows[id])
        return self._models[id]

    async def network(self, id: str) -> Network:
        """The network with its weights, on the device. Raises `UnknownModel`, `WeightsMissing`."""
        row = self.model(id).row
        if id in self._loaded:
            self._loaded.move_to_end(id)
            return self._loaded[id]
        # Shielded: whoever leaves does not stop a loading, and whoever asks next shares it.
        return await asyncio.shield(asyncio.create_task(self._bring(row)))

    async def _bring(self, row: Weights) -> Network:
        async with self._lock:
            if row.id not in self._loaded:
                self._loaded[row.id] = await asyncio.to_thread(self._load, row)
                self._shrink()
            self._loaded.move_to_end(row.id)
            return self._loaded[row.id]

    def _load(self, row: Weights) -> Network:
        return self._loader(row).to(self._device).eval().requires_grad_(False)

    def _shrink(self) -> None:
        while len(self._loaded) > 1 and sum(map(size, self._loaded.values())) > self._budget:
            self._loaded.popitem(last=False)


def size(network: Network) -> int:
    """Bytes of a network's parameters and buffers."""
    return sum(t.numel() * t.element_size() for t in network.state_dict().values())


def _describe(row: Weights) -> Model:
    outline = registry.empty(row.architecture)
    return Model(
        row,
        outline,
        geometry(outline),
        read_labels(row.labels_path),
        sum(parameter.numel() for parameter in outline.parameters()),
    )
