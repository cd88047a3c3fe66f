"""The catalogue of networks: describes them, loads them on demand, unloads beyond a budget."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from app.errors import WeightsRefused
from app.services.networks.loading import load
from app.services.networks.weight_files import State, WeightEntry, WeightFiles
from app.vision.geometry import Geometry, geometry
from app.vision.interruption import watch
from models import registry
from models.classes import Label, read_labels
from models.graph import Network
from models.row import Weights


@dataclass(frozen=True, slots=True)
class Model:
    """The description of a network, without its weights.

    `outline` is the network on the meta device: steps and parameter shapes, no values; a partial
    network ends where its weights do. `data` is the operator's data folder, which may hold more
    files made for it.
    """

    entry: WeightEntry
    outline: Network
    geometry: dict[str, Geometry]
    labels: tuple[Label, ...]
    parameters: int
    data: Path | None = None

    @property
    def row(self) -> Weights:
        return self.entry.row

    @property
    def id(self) -> str:
        return self.entry.row.id

    @property
    def state(self) -> State:
        return self.entry.state


class Catalogue:
    """Networks by id, loaded on first use; beyond `budget` bytes the least recently used goes."""

    def __init__(
        self,
        device: torch.device,
        budget: int,
        shelf: WeightFiles | None = None,
        loader: Callable[[WeightEntry], Network] = load,
        data: Path | None = None,
    ) -> None:
        self._device = device
        self._budget = budget
        self.shelf = shelf or WeightFiles()
        self._loader = loader
        self._data = data
        self._models: dict[str, Model] = {}
        self._loaded: OrderedDict[str, tuple[WeightEntry, Network]] = OrderedDict()
        self._lock = asyncio.Lock()

    def models(self) -> list[Model]:
        """Every network: those of the table in its order, then the operator's own."""
        return [self._model(entry) for entry in self.shelf.entries()]

    def twins(self) -> list[Model]:
        """The twin of every network: the same architecture with random weights."""
        return [self._model(entry) for entry in self.shelf.twins()]

    def model(self, id: str) -> Model:
        """Describe the network of that id. Raises `UnknownModel`."""
        return self._model(self.shelf.find(id))

    async def network(self, id: str) -> Network:
        """Load the network, on the device.

        Raises `UnknownModel`, `WeightsMissing`, `WeightsRefused`.
        """
        entry = self.model(id).entry
        if network := self._cached(entry):
            return network
        # Shielded: a cancelled request does not stop the loading, which others may share.
        return await asyncio.shield(asyncio.create_task(self._load_once(entry)))

    def _model(self, entry: WeightEntry) -> Model:
        """The description, cached until the weights file is added, removed or changed."""
        known = self._models.get(entry.id)
        if known is None or known.entry != entry:
            known = self._models[entry.id] = replace(_describe(entry), data=self._data)
        return known

    def _cached(self, entry: WeightEntry) -> Network | None:
        cached, network = self._loaded.get(entry.id, (None, None))
        if network is None or cached != entry:
            return None
        self._loaded.move_to_end(entry.id)
        return network

    async def _load_once(self, entry: WeightEntry) -> Network:
        async with self._lock:
            if network := self._cached(entry):
                return network
            try:
                network = await asyncio.to_thread(self._load, entry)
            except WeightsRefused as error:
                self.shelf.refuse(entry, error.detail)
                raise
            self._loaded[entry.id] = (entry, network)
            self._loaded.move_to_end(entry.id)
            self._shrink()
            return network

    def _load(self, entry: WeightEntry) -> Network:
        return watch(self._loader(entry).to(self._device).eval().requires_grad_(False))

    def _shrink(self) -> None:
        while len(self._loaded) > 1 and self._bytes() > self._budget:
            self._loaded.popitem(last=False)

    def _bytes(self) -> int:
        return sum(size(network) for _, network in self._loaded.values())


def size(network: Network) -> int:
    """Memory of a network's parameters and buffers, in bytes."""
    return sum(t.numel() * t.element_size() for t in network.state_dict().values())


def _describe(entry: WeightEntry) -> Model:
    outline, places, parameters = _outline(entry.row.architecture, entry.last)
    labels = () if entry.last else read_labels(entry.row.labels_path)
    return Model(entry, outline, places, labels, parameters)


@cache
def _outline(architecture: str, last: str | None) -> tuple[Network, dict[str, Geometry], int]:
    """Outline, geometry and parameter count of a network that ends at `last`, cached."""
    outline = registry.empty(architecture)
    if last:
        outline = outline.upto(last)
    return outline, geometry(outline), sum(one.numel() for one in outline.parameters())
