"""The networks that can be chosen: what they are, and their loaded selves within a budget."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from app.services.networks.loading import load
from app.services.networks.weight_files import State, WeightEntry, WeightFiles
from app.vision.geometry import Geometry, geometry
from models import registry
from models.classes import Label, read_labels
from models.graph import Network
from models.row import Weights


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a network without its weights.

    `outline` is the network on the meta device: steps and parameter shapes, no values; a partial
    one ends where its weights do. `data` is the operator's folder, where more may lie that was made
    for it.
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
    """Networks by id, loaded on first use; beyond `budget` bytes the least used is unloaded."""

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
        """Every network, the table's in its order, then one's own."""
        return [self._model(entry) for entry in self.shelf.entries()]

    def twins(self) -> list[Model]:
        """The twin with random weights of every network."""
        return [self._model(entry) for entry in self.shelf.twins()]

    def model(self, id: str) -> Model:
        """The network of that id. Raises `UnknownModel`."""
        return self._model(self.shelf.find(id))

    async def network(self, id: str) -> Network:
        """The network with its weights, on the device. Raises `UnknownModel`, `WeightsMissing`."""
        entry = self.model(id).entry
        if network := self._kept(entry):
            return network
        # Shielded: whoever leaves does not stop a loading, and whoever asks next shares it.
        return await asyncio.shield(asyncio.create_task(self._bring(entry)))

    def _model(self, entry: WeightEntry) -> Model:
        """Described once, and again when a file has come, gone or changed."""
        known = self._models.get(entry.id)
        if known is None or known.entry != entry:
            known = self._models[entry.id] = replace(_describe(entry), data=self._data)
        return known

    def _kept(self, entry: WeightEntry) -> Network | None:
        kept, network = self._loaded.get(entry.id, (None, None))
        if network is None or kept != entry:
            return None
        self._loaded.move_to_end(entry.id)
        return network

    async def _bring(self, entry: WeightEntry) -> Network:
        async with self._lock:
            if network := self._kept(entry):
                return network
            network = await asyncio.to_thread(self._load, entry)
            self._loaded[entry.id] = (entry, network)
            self._loaded.move_to_end(entry.id)
            self._shrink()
            return network

    def _load(self, entry: WeightEntry) -> Network:
        return self._loader(entry).to(self._device).eval().requires_grad_(False)

    def _shrink(self) -> None:
        while len(self._loaded) > 1 and self._bytes() > self._budget:
            self._loaded.popitem(last=False)

    def _bytes(self) -> int:
        return sum(size(network) for _, network in self._loaded.values())


def size(network: Network) -> int:
    """Bytes of a network's parameters and buffers."""
    return sum(t.numel() * t.element_size() for t in network.state_dict().values())


def _describe(entry: WeightEntry) -> Model:
    outline, places, parameters = _outline(entry.row.architecture, entry.last)
    labels = () if entry.last else read_labels(entry.row.labels_path)
    return Model(entry, outline, places, labels, parameters)


@cache
def _outline(architecture: str, last: str | None) -> tuple[Network, dict[str, Geometry], int]:
    """What nobody changes of a network that ends at `last`: once for all catalogues."""
    outline = registry.empty(architecture)
    if last:
        outline = outline.upto(last)
    return outline, geometry(outline), sum(one.numel() for one in outline.parameters())
