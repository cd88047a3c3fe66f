"""How many units of each layer prefer a colour, an orientation or a class (selectivity)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from app.services.atlas.crop_sources import convolution
from app.services.atlas.library import AtlasFile
from app.services.networks.calibration import calibration
from app.services.networks.catalogue import Model
from app.services.surveys.survey import LayerSurvey, Survey
from app.vision.selectivity import (
    COLOURED,
    OF_A_CLASS,
    ORIENTED,
    RESPONDS,
    circular_variance,
    class_selectivity,
    orientation_index,
)
from app.vision.stages import stage_ends

Kind = Literal["colour", "orientation", "class"]
THRESHOLDS: dict[Kind, float] = {
    "colour": COLOURED, "orientation": ORIENTED, "class": OF_A_CLASS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PreferenceShare:
    """`count` of `total` channels of a layer reach the threshold; `median` is of their index.

    `count` is None if it cannot be measured.
    """

    layer: int
    step: str
    kind: Kind
    count: int | None
    total: int
    median: float = 0.0

    @property
    def share(self) -> float | None:
        """`count` / `total`, 0..1."""
        return None if self.count is None else self.count / self.total


@dataclass(frozen=True, slots=True)
class ClassMeans:
    """Mean activations on the pictures of each class, [K,C]; `words` says of which pictures."""

    values: Tensor
    labels: tuple[str, ...]
    words: str


def class_means(model: Model, step: str, atlases: Sequence[AtlasFile]) -> ClassMeans | None:
    """The class means of a step's channels; None if they were not measured. Blocks.

    From the shipped calibration, else from the first atlas of pictures in class folders.
    """
    calibrated = calibration(model)
    if calibrated and step in calibrated.means:
        labels = tuple(label.label for label in model.labels)
        words = "the mean of each map, over training pictures"
        return ClassMeans(calibrated.means[step], labels, words)
    atlas = next((one for one in atlases if one.about.classes), None)
    return _from_atlas(model, step, atlas) if atlas else None


def _from_atlas(model: Model, step: str, atlas: AtlasFile) -> ClassMeans | None:
    origins = [convolution(model, step, c) for c in range(model.geometry[step].shape[0])]
    steps = list(dict.fromkeys(one[0] for one in origins if one))
    if None in origins or not set(steps) <= set(atlas.about.steps):
        return None
    tables = {name: atlas.means(name) for name in steps}
    columns = [tables[one[0]][:, one[1]] for one in origins if one]
    names = {label.wnid: label.label for label in model.labels}
    labels = tuple(names.get(name, name) for name in atlas.about.classes)
    words = f"the mean peak of each map, over {atlas.about.read:,} pictures of “{atlas.title}”"
    return ClassMeans(torch.stack(columns, 1), labels, words)


def shares(
    model: Model, survey: Survey, atlases: Sequence[AtlasFile] = ()
) -> dict[int, tuple[PreferenceShare, ...]]:
    """The three shares of each layer, by the layer's number. Blocks."""
    return {
        n: of_layer(n, step, survey.layers[n], class_means(model, step, atlases))
        for n, step in stage_ends(model.outline.steps).items()
    }


def of_layer(
    n: int, step: str, layer: LayerSurvey, means: ClassMeans | None
) -> tuple[PreferenceShare, ...]:
    """The three shares of one layer."""
    total = len(layer.colour)
    turned = orientation_index(layer.curve)
    oriented = (turned >= ORIENTED) & responds(layer)
    one_minus = 1 - circular_variance(layer.curve)
    found = [
        _share(n, step, "colour", layer.colour >= COLOURED, layer.colour),
        _share(n, step, "orientation", oriented, one_minus),
    ]
    if means is None:
        return (*found, PreferenceShare(n, step, "class", None, total))
    index = class_selectivity(means.values)
    return (*found, _share(n, step, "class", index >= OF_A_CLASS, index))


def responds(layer: LayerSurvey) -> Tensor:
    """Which channels respond to gratings at all, bool [C]."""
    best = layer.curve.amax(1)
    return (best > 0) & (best >= RESPONDS * layer.peak)


def _share(n: int, step: str, kind: Kind, reach: Tensor, index: Tensor) -> PreferenceShare:
    return PreferenceShare(n, step, kind, int(reach.sum()), len(reach), float(index.median()))
