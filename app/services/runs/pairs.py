"""A clean and an attacked picture as inputs of one network, for panels that compare them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from torch import Tensor

from app.errors import NoClassifier
from app.pictures.preprocess import fit, normalise
from app.services.networks.catalogue import Catalogue, Model
from app.services.networks.class_names import find_class
from app.services.pictures.store import Pictures
from app.services.runs.run import preprocess
from models.graph import Network


@dataclass(frozen=True, slots=True)
class PicturePair:
    """Two pictures as network inputs, uint8 [3,S,S] each, with their image ids.

    `target` is the target class of the attack, if it had one; `seed` is the attack's seed.
    """

    model: Model
    network: Network
    before: str
    after: str
    clean: Tensor
    attacked: Tensor
    target: int | None
    seed: int

    def normalised(self, pixels: Tensor) -> Tensor:
        """Normalise uint8 [3,S,S] for this network."""
        return normalise(pixels, preprocess(self.model))


async def load_pair(
    catalogue: Catalogue,
    pictures: Pictures,
    model: str,
    before: str,
    after: str,
    target: int | str | None = None,
    seed: int = 0,
) -> PicturePair:
    """Load both pictures; an attacked picture has the network's size and is not resized.

    Raises `UnknownModel`, `UnknownPicture`, `NoClassifier`, `WeightsMissing`, `BadRequest`.
    """
    described = catalogue.model(model)
    for image in (before, after):
        await asyncio.to_thread(pictures.require, image)
    if not described.labels:
        raise NoClassifier(f"{described.row.title} has no classifier here: it predicts nothing.")
    goal = None if target is None else find_class(described.labels, target)
    network = await catalogue.network(model)
    prep = preprocess(described)

    def fitted(image: str) -> Tensor:
        return fit(pictures.open(image), prep).pixels

    clean = await asyncio.to_thread(fitted, before)
    attacked = await asyncio.to_thread(fitted, after)
    return PicturePair(described, network, before, after, clean, attacked, goal, seed)
