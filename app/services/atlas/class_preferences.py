"""Which classes' pictures activate a channel most, from the means in the calibration file."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.networks.calibration import calibration
from app.services.networks.catalogue import Model
from app.services.synthesis.query import unit_origin

LISTED = 5


@dataclass(frozen=True, slots=True)
class PreferredClass:
    """A class with the mean activation of a channel on its pictures."""

    index: int
    label: str
    value: float


@dataclass(frozen=True, slots=True)
class ClassPreferences:
    """The classes that activate a channel most, strongest first, and its means over all classes.

    An activation is the mean over the feature map of step `at`; `pictures` says of which pictures.
    """

    at: str
    classes: tuple[PreferredClass, ...]
    mean: float
    lowest: float
    highest: float
    pictures: str = "the pictures of each class that the network was trained with"


def class_preferences(model: Model, step: str, channel: int) -> ClassPreferences | None:
    """The preferences of a unit; None if there are no means for these weights or its layer."""
    known = calibration(model)
    if known is None:
        return None
    where, number = unit_origin(model, step, channel)
    for at, means in known.means.items():
        if number is not None and unit_origin(model, at, number) == (where, number):
            values = means[:, number]
            best = values.argsort(descending=True, stable=True)[:LISTED].tolist()
            classes = tuple(
                PreferredClass(i, model.labels[i].label, values[i].item()) for i in best
            )
            mean, low, high = (one.item() for one in (values.mean(), values.min(), values.max()))
            return ClassPreferences(at, classes, mean, low, high)
    return None
