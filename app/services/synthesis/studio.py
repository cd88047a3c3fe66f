"""Provides synthesised pictures: shipped, cached on disk or in memory, or computed now."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.services.cache import ByteCache
from app.services.engine.engine import Engine
from app.services.networks.catalogue import Catalogue, Model
from app.services.synthesis.disk_cache import PictureCache
from app.services.synthesis.growth import GrowthReport, Growths
from app.services.synthesis.levels import GreyLevels
from app.services.synthesis.picture import SynthesisedPicture, encode
from app.services.synthesis.query import SynthesisOptions, SynthesisQuery, build_query, unit_origin
from app.services.synthesis.shipped import ShippedPictures, files, shipped
from models.graph import Network

State = Literal["shipped", "cached", "none"]

FRAMES = 32_000_000
"""Bytes of unfinished pictures: one of 128 pixels has 40,000; a growth has 33 of them."""


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """A picture that is available, and its source; `small` if it is from a step's sheet."""

    state: State
    picture: SynthesisedPicture
    small: bool = False


class Studio:
    """Synthesised pictures; finished ones are cached in `folder`, at most `capacity` bytes.

    All users share them: they show a network, not a user's picture.
    """

    def __init__(self, engine: Engine, catalogue: Catalogue, folder: Path, capacity: int) -> None:
        self._engine = engine
        self._disk_cache = PictureCache(folder, capacity)
        self._frames: ByteCache[str, SynthesisedPicture] = ByteCache(FRAMES)
        self.greys = GreyLevels(engine, catalogue)
        self.growths = Growths(self._show, self._keep, self._finished)

    def build_query(
        self, model: Model, step: str, channel: int | None, wanted: SynthesisOptions
    ) -> SynthesisQuery:
        """Validate a request; the default recipe is that of the shipped pictures.

        Raises `UnknownStep`, `BadRequest`.
        """
        layer = None
        if step in model.geometry:
            layer = shipped(model, unit_origin(model, step, channel)[0])
        return build_query(model, step, channel, wanted, layer.recipe if layer else None)

    def find(self, query: SynthesisQuery) -> FoundPicture | None:
        """Return the picture if it is available without computing it."""
        if layer := _whole(query):
            return FoundPicture(
                "cached" if layer.own else "shipped", _cut(layer, query), small=True
            )
        if picture := self._frames.get(query.key) or self._disk_cache.get(query.key):
            return FoundPicture("cached", picture)
        return None

    def state(self, query: SynthesisQuery) -> State:
        """Where the picture is available, without reading it."""
        if layer := _whole(query):
            return "cached" if layer.own else "shipped"
        known = self._frames.get(query.key) is not None or self._disk_cache.has(query.key)
        return "cached" if known else "none"

    def stream(
        self, owner: str, query: SynthesisQuery, network: Network
    ) -> AsyncGenerator[int | GrowthReport]:
        """Compute it: yield the place in the queue, then reports. Raises `Busy`."""
        return self._engine.stream(owner, lambda: self.growths.follow(query, network))

    def _finished(self, query: SynthesisQuery) -> SynthesisedPicture | None:
        found = self.find(query)
        return found.picture if found else None

    def _show(self, query: SynthesisQuery, picture: SynthesisedPicture) -> None:
        self._frames.put(query.key, picture, len(picture.png) + 4096)

    def _keep(self, query: SynthesisQuery, picture: SynthesisedPicture) -> None:
        self._disk_cache.put(query.key, picture)


def _whole(query: SynthesisQuery) -> ShippedPictures | None:
    """The file of a whole step's pictures that has exactly this one."""
    return next((one for one in files(query.model) if one.has(query)), None)


def _cut(layer: ShippedPictures, query: SynthesisQuery) -> SynthesisedPicture:
    """Cut the picture out of its step's sheet."""
    channel = query.goal.channel or 0
    objective = layer.objectives[query.at][channel].item()
    tile = layer.tile(query.at, channel)
    return SynthesisedPicture(encode(tile, query.key, query.description, objective, []), objective)
