"""Writes the synthesised pictures of a whole step as the file that the server shows them from."""

from __future__ import annotations

from pathlib import Path

import torch

from app.services.files import put
from app.services.networks.asset_files import content
from app.services.networks.loading import weights_digest
from app.services.synthesis.collection import StepCollection
from app.services.synthesis.query import unit_origin
from app.services.synthesis.shipped import KIND, pack

PIXELS = 25_000_000
"""Most pixels of a sheet that a phone can decode. VGG16's largest convolution has 8 million."""


def reason_not_shown(collection: StepCollection) -> str:
    """Why the page does not show a finished collection, in a sentence; "" if it does."""
    model, step = collection.model, collection.step
    count, side = model.geometry[step].shape[0], collection.recipe.size
    if not weights_digest(model.entry):
        return "The page shows no pictures of random weights."
    if collection.away:
        return "The page shows what channels respond to most, not what they respond to least."
    if collection.channels != tuple(range(count)):
        return "The page shows a layer once all of its pictures are there."
    if count * side**2 > PIXELS:
        return f"{count:,} pictures of {side} × {side} pixels are too many for the page."
    if any(unit_origin(model, step, channel)[1] != channel for channel in range(count)):
        return f"The page shows those of the steps that {step} is made from."
    return ""


def write_layer(collection: StepCollection, data: Path) -> Path:
    """Write a collection to the data folder `data` of a server, and return the path.

    Raises `NotWritten`; `ValueError` if `reason_not_shown` gives a reason.
    """
    if why := reason_not_shown(collection):
        raise ValueError(why)
    model = collection.model
    at, _ = unit_origin(model, collection.step, 0)
    objectives = {at: torch.tensor(collection.objectives)}
    tensors, about = pack(collection.recipe, {at: collection.images()}, objectives)
    path = data / KIND / f"{model.id}.{at}.safetensors"
    put(path, content(model, tensors, about))
    return path
