"""Where synthesised pictures come from: shipped, kept, shown a moment ago, or grown now."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
from app.services.synthesis.query import SynthesisOptions, SynthesisQuery, asked, home
from app.services.synthesis.shipped import ShippedPictures, files, shipped
from models.graph import Network

State = Literal["shipped", "cached", "none"]

FRAMES = 32_000_000
"""Bytes of pictures on their way: one of 128 pixels has 40 thousand, a growth 33 of them."""


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """A picture that can be shown at once, and where it was; `small` out of a step's sheet."""

    state: State
    picture: SynthesisedPicture
    small: bool = False


class Studio:
    """Synthesised pictures; finished ones are kept in `folder`, at most `capacity` bytes.

    Everyone shares them: they show a network, not a person's picture.
    """

    def __init__(self, engine: Engine, catalogue: Catalogue, folder: Path, capacity: int) -> None:
        self._engine = engine
        self._kept = PictureCache(folder, capacity)
        self._frames: ByteCache[str, SynthesisedPicture] = ByteCache(FRAMES)
        self.greys = GreyLevels(engine, catalogue)
        self.growths = Growths(self._show, self._keep, self._finished)

    def asked(
        self, model: Model, step: str, channel: int | None, wanted: SynthesisOptions
    ) -> SynthesisQuery:
        """What is asked for, checked; by default as those that ship were made.

        Raises `UnknownStep`, `BadRequest`.
        """
        there = None
        if step in model.geometry:
            there = shipped(model, home(model, step, channel)[0])
        return asked(model, step, channel, wanted, there.recipe if there else None)

    def find(self, asked: SynthesisQuery) -> FoundPicture | None:
        """The picture where it can be shown at once."""
        if there := _whole(asked):
            return FoundPicture(
                "cached" if there.own else "shipped", _cut(there, asked), small=True
            )
        if picture := self._frames.get(asked.key) or self._kept.get(asked.key):
            return FoundPicture("cached", picture)
        return None

    def state(self, asked: SynthesisQuery) -> State:
        """Where the picture is, without looking into it."""
        if there := _whole(asked):
            return "cached" if there.own else "shipped"
        known = self._frames.get(asked.key) is not None or self._kept.has(asked.key)
        return "cached" if known else "none"

    def stream(
        self, owner: str, asked: SynthesisQuery, network: Network
    ) -> AsyncIterator[int | GrowthReport]:
        """Grow it: the place in the queue, then reports. Raises `Busy` (see `Engine.stream`)."""
        return self._engine.stream(owner, lambda: self.growths.follow(asked, network))

    def _finished(self, asked: SynthesisQuery) -> SynthesisedPicture | None:
        found = self.find(asked)
        return found.picture if found else None

    def _show(self, asked: SynthesisQuery, picture: SynthesisedPicture) -> None:
        self._frames.put(asked.key, picture, len(picture.png) + 4096)

    def _keep(self, asked: SynthesisQuery, picture: SynthesisedPicture) -> None:
        self._kept.put(asked.key, picture)


def _whole(asked: SynthesisQuery) -> ShippedPictures | None:
    """The file with the pictures of the whole step that has exactly this one."""
    return next((one for one in files(asked.model) if one.has(asked)), None)


def _cut(there: ShippedPictures, asked: SynthesisQuery) -> SynthesisedPicture:
    """The picture, out of the sheet of its step."""
    channel = asked.goal.channel or 0
    objective = there.objectives[asked.at][channel].item()
    tile = there.tile(asked.at, channel)
    return SynthesisedPicture(encode(tile, asked.key, asked.made, objective, []), objective)
