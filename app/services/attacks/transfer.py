"""Transfer attacks: does a picture made to fool one network fool the others too?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from PIL import Image
from torch import Tensor

from app.errors import BadRequest
from app.pictures.preprocess import fit
from app.pictures.single_transformations import to_image
from app.services.engine.engine import Engine
from app.services.networks.catalogue import Catalogue, Model
from app.services.runs.batch_inference import logits_of
from app.services.runs.pairs import PicturePair
from app.services.runs.run import preprocess
from app.vision.predict import RankedClass, top
from models.classes import Label

SHOWN = 3

Verdict = Literal["absent", "elsewhere", "held", "same", "other"]
"""The effect of the attack on another network: see `verdict`."""


@dataclass(frozen=True, slots=True)
class TransferAnswer:
    """The most likely classes of one picture, and the label of the first."""

    ranked: tuple[RankedClass, ...]
    first: Label


@dataclass(frozen=True, slots=True)
class Transferred:
    """Another network's predictions for the photo, and for the clean and attacked 8-bit picture.

    `made_here` says whether it has the class that the attacked network predicts for the attacked
    picture; `target` whether the attack's target was reached here, None if there was none or this
    network has no such class.
    """

    model: Model
    photo: TransferAnswer
    clean: TransferAnswer
    attacked: TransferAnswer
    verdict: Verdict
    made_here: bool
    target: bool | None


@dataclass(frozen=True, slots=True)
class SkippedNetwork:
    """A network that is skipped: it has no classifier (`partial`), or its weights are missing."""

    model: Model
    partial: bool


def other_networks(catalogue: Catalogue, mine: str) -> tuple[list[Model], list[SkippedNetwork]]:
    """The other networks that can classify the picture, and those that cannot."""
    rest = [model for model in catalogue.models() if model.id != mine]
    ready = [one for one in rest if one.state in ("embedded", "ready") and one.labels]
    left = [SkippedNetwork(one, one.state == "partial") for one in rest if one not in ready]
    return ready, left


def verdict(before: str, after: str, known: set[str], clean: str, attacked: str) -> Verdict:
    """The effect of an attack that changed the prediction from `before` to `after`, by wnid.

    The other network has the classes `known` and predicts `clean` and `attacked`. `absent`: it has
    no class `before`. `elsewhere`: it predicts another class for the clean picture, so that
    nothing can be said. `held`: it predicts `before` for both. `same`: the attack leads to `after`
    here too; `other`: to another class.
    """
    if before not in known:
        return "absent"
    if clean != before:
        return "elsewhere"
    if attacked == before:
        return "held"
    return "same" if attacked == after else "other"


async def own_predictions(
    engine: Engine, pair: PicturePair
) -> tuple[TransferAnswer, TransferAnswer]:
    """The attacked network's own predictions for the clean and the attacked picture."""
    logits = await logits_of(engine, pair.model, pair.network, (pair.clean, pair.attacked))
    clean, attacked = (_answer(pair.model, row) for row in logits)
    return clean, attacked


async def predict_transfer(
    engine: Engine, catalogue: Catalogue, pair: PicturePair, photo: Image.Image, other: str
) -> Transferred:
    """Test another network on the 8-bit pictures, with its own preprocessing.

    Raises `UnknownModel`, `WeightsMissing`, `Busy`, `BadRequest` for a network without classes.
    """
    model = catalogue.model(other)
    if not model.labels:
        raise BadRequest(f"{model.row.title} has no classifier here: it predicts nothing.")
    network = await catalogue.network(other)
    pictures = await asyncio.to_thread(transfer_inputs, pair, photo, model)
    rows = await logits_of(engine, model, network, pictures)
    whole, clean, attacked = (_answer(model, row) for row in rows)
    mine = await own_predictions(engine, pair)
    before, after = (one.first.wnid for one in mine)
    known = {label.wnid for label in model.labels}
    goal = None if pair.target is None else pair.model.labels[pair.target].wnid
    return Transferred(
        model,
        whole,
        clean,
        attacked,
        verdict(before, after, known, clean.first.wnid, attacked.first.wnid),
        after in known,
        attacked.first.wnid == goal if goal in known else None,
    )


def transfer_inputs(
    pair: PicturePair, photo: Image.Image, model: Model
) -> tuple[Tensor, Tensor, Tensor]:
    """Another network's inputs, uint8 [3,S,S]: the photo, the clean and the attacked picture."""
    prep = preprocess(model)
    images = (photo, to_image(pair.clean), to_image(pair.attacked))
    whole, clean, attacked = (fit(image, prep).pixels for image in images)
    return whole, clean, attacked


def _answer(model: Model, logits: Tensor) -> TransferAnswer:
    ranked = tuple(top(logits, SHOWN))
    return TransferAnswer(ranked, model.labels[ranked[0].index])
