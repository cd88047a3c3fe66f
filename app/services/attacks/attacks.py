"""Runs a requested attack: validates it, computes it as a long job, stores the result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from torch import Tensor

from app.errors import NoClassifier
from app.pictures.preprocess import Fitted, fit, input_png, normalise
from app.services.attacks.job import AttackEnded, AttackMoment, job, never
from app.services.attacks.options import AttackOptions, AttackRequest, checked, warnings
from app.services.attacks.pixel_model import pixel_model_of
from app.services.attacks.premade import NOTHING, Premade, find_premade
from app.services.engine.engine import Engine
from app.services.networks.catalogue import Catalogue, Model
from app.services.pictures.similarity import ssim
from app.services.pictures.store import Pictures
from app.services.runs.run import preprocess
from models.classes import Label
from models.graph import Network


@dataclass(frozen=True, slots=True)
class Attack:
    """A validated attack, ready to start."""

    model: Model
    network: Network
    fitted: Fitted
    options: AttackOptions
    notes: tuple[str, ...]
    premade: Premade = NOTHING

    @property
    def pixels(self) -> Tensor:
        """The network's input, uint8 [3,S,S]."""
        return self.fitted.pixels


@dataclass(frozen=True, slots=True)
class Attacked:
    """The result of an attack; `image` is the id of the 8-bit picture, now owned by the user.

    `ssim` is the structural similarity of the clean and the attacked picture, -1..1.
    `notes` are sentences about the request and the result.
    """

    attack: Attack
    image: str
    trace: tuple[AttackMoment, ...]
    ended: AttackEnded
    ssim: float
    notes: tuple[str, ...]


class Attacks:
    """Runs attacks in the engine's lane of long jobs, one per user at a time."""

    def __init__(self, engine: Engine, catalogue: Catalogue, pictures: Pictures) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._pictures = pictures

    async def prepare(self, model: str, image: str, request: AttackRequest) -> Attack:
        """Validate a request and load what it needs.

        Raises `UnknownModel`, `UnknownPicture`, `NoClassifier`, `BadRequest`, `WeightsMissing`,
        `NotFinite`.
        """
        described = self._catalogue.model(model)
        await asyncio.to_thread(self._pictures.require, image)
        if not described.labels:
            raise NoClassifier(
                f"{described.row.title} ends at {described.outline.steps[-1].name}: without a "
                "classifier it predicts nothing, so there is nothing to fool."
            )
        options = checked(request, described.labels, described.row.crop)
        network = await self._catalogue.network(model)
        fitted = await asyncio.to_thread(self._fit, described, image)
        await self._require_finite(described, network, fitted)
        premade = await asyncio.to_thread(find_premade, described, options)
        notes = tuple(warnings(request, options, bool(premade)))
        return Attack(described, network, fitted, options, notes, premade)

    async def stream(
        self, attack: Attack, owner: str, stop: Callable[[], bool] = never
    ) -> AsyncGenerator[int | AttackMoment | Attacked]:
        """Yield the place in the queue, each step as it is computed, and the result.

        Closing the iterator cancels the work; `stop` ends it after the current step, with a result.
        Raises `Busy` if this user has a long job already.
        """
        trace: list[AttackMoment] = []
        items = self._engine.stream(
            owner,
            lambda: job(
                pixel_model_of(attack.model, attack.network),
                attack.network,
                attack.pixels,
                attack.options,
                stop,
                attack.premade,
            ),
        )
        async with aclosing(items) as running:
            async for burst in running:
                if isinstance(burst, int):
                    yield burst
                    continue
                for item in burst:
                    if isinstance(item, AttackEnded):
                        yield await self._store(attack, owner, trace, item)
                    else:
                        trace.append(item)
                        yield item

    async def _store(
        self, attack: Attack, owner: str, trace: list[AttackMoment], ended: AttackEnded
    ) -> Attacked:
        name = f"{attack.options.method} on {attack.model.row.id}"
        png = input_png(ended.pixels)
        stored = await asyncio.to_thread(self._pictures.add, png, owner, name)
        notes = (*attack.notes, *findings(attack.model.labels, attack.options, ended))
        # The result does not need the pictures of the steps, which take memory.
        moments = tuple(replace(moment, pixels=None) for moment in trace)
        similarity = await asyncio.to_thread(ssim, attack.pixels, ended.pixels)
        return Attacked(attack, stored.id, moments, ended, similarity, notes)

    async def _require_finite(self, model: Model, network: Network, fitted: Fitted) -> None:
        """Raise `NotFinite` where a run would: a ReLU may hide minus infinity from the scores.

        Networks that are as published, or drawn at random, need no such pass.
        """
        if model.entry.verified or model.state == "random":
            return
        picture = normalise(fitted.pixels, preprocess(model))
        async with aclosing(self._engine.forward(network, picture)) as steps:
            async for _ in steps:
                pass

    def _fit(self, model: Model, image: str) -> Fitted:
        return fit(self._pictures.open(image), preprocess(model))


def findings(labels: Sequence[Label], options: AttackOptions, ended: AttackEnded) -> list[str]:
    """The result of an attack in sentences."""
    before = labels[ended.before[0].index].label
    notes = [*ended.notes]
    if options.target == ended.before[0].index:
        notes.append(f"The target, {before}, is what the network saw already.")
    if options.true_label is not None and options.true_label != ended.before[0].index:
        true = labels[options.true_label].label
        notes.append(f"Wrong from the start: it is {true}, the network saw {before} without help.")
    if not ended.flipped:
        notes.append(f"The network was not fooled: it still sees {before}.")
    elif options.target is not None and not ended.reached_target:
        target = labels[options.target].label
        notes.append(f"The answer changed, but not to the target, {target}.")
    return notes
