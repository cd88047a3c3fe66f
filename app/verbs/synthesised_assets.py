"""Makes the shipped synthesised pictures: every channel of the five stages, and every class."""

from __future__ import annotations

import time

import torch

from app.services.networks.catalogue import Model
from app.services.networks.loading import weights_digest
from app.services.synthesis.collection import StepCollection
from app.services.synthesis.query import default_size
from app.services.synthesis.shipped import KIND, pack
from app.settings import Settings
from app.verbs.asset_making import AssetContent, AssetInputs
from app.verbs.terminal import duration
from app.vision.synthesis import SynthesisRecipe

STEPS = 256
"""The objective reaches 0.85 to 0.91 of its value at 512 steps, and pictures look alike."""
BATCH = 32


def shipped(work: AssetInputs) -> AssetContent:
    """Make the shipped pictures, for `python -m app assets`.

    Finished ones are stored in a folder named by the weights' digest: the same command resumes.
    """
    recipe = SynthesisRecipe(default_size(work.model, work.model.outline.logits), STEPS)
    collections = [_collection(work.model, step, recipe) for step in steps(work.model)]
    _make(work, collections)
    pictures = {one.step: one.images() for one in collections}
    values = {one.step: torch.tensor(one.objectives) for one in collections}
    tensors, about = pack(recipe, pictures, values)
    count = sum(map(len, pictures.values()))
    return AssetContent(tensors, about, f"{count:,} synthesised pictures, {STEPS} steps each.")


def steps(model: Model) -> list[str]:
    """The convolutions with a stage, and the logits."""
    convolutions = [one.name for one in model.outline.steps if one.kind == "conv" and one.stage]
    return [*convolutions, model.outline.logits]


def _collection(model: Model, step: str, recipe: SynthesisRecipe) -> StepCollection:
    data, digest = Settings.from_environment().data, weights_digest(model.entry)[:12]
    channels = range(model.geometry[step].shape[0])
    return StepCollection(model, step, channels, recipe, data / "assets" / KIND / digest / step)


def _make(work: AssetInputs, collections: list[StepCollection]) -> None:
    total = sum(len(one.left) for one in collections)
    started, before = time.monotonic(), 0
    for collection in collections:
        left = len(collection.left)
        existing = len(collection.channels) - left
        for made in collection.make(work.network, BATCH):
            # Unfinished pictures count in part.
            under_way = min(BATCH, made.total - made.done) * made.step / made.steps
            part = before + made.done - existing + (0 if made.step == made.steps else under_way)
            to_come = (time.monotonic() - started) * (total - part) / part if part else 0.0
            work.teller.progress(
                f"{collection.step}: {made.done} of {made.total} pictures, step {made.step} of "
                f"{made.steps}" + (f", {duration(to_come)} left in all" if part else "")
            )
        before += left
