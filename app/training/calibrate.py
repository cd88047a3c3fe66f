"""Calibration statistics of a network: reference scores, and mean activations by class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from app.pictures.preprocess import Preprocess, normalise
from app.training.checkpoint import write_atomically
from app.training.data import DataSet
from app.training.measure import BATCH
from app.vision.forward import forward_steps
from app.vision.stages import stage_ends
from app.vision.unusual import (
    STYLED,
    energy,
    feature_norm,
    max_logit,
    mean_response,
    profile,
    profile_distance,
)
from models.graph import Network

REFERENCES = 1000
NORMED = (4, 5)  # the stages whose feature norm is a score


class References:
    """Scores of pictures, collected batch by batch; activations are not stored.

    The scores are `energy`, `max_logit`, `norm.4`, `norm.5` (the feature norms at the end of a
    stage), and `profile`, the distance from the profile of the first stages, computed at the end.
    """

    def __init__(self, network: Network, prep: Preprocess) -> None:
        self._network = network
        self._prep = prep
        self._scores: dict[str, list[Tensor]] = {}
        self._responses: dict[str, list[Tensor]] = {}

    def add(self, pixels: Tensor) -> None:
        """Add the scores of pictures, uint8 [N,3,S,S], on the network's device."""
        ends = stage_ends(self._network.steps)
        outputs = _outputs(self._network, pixels, self._prep)
        logits = outputs[self._network.logits]
        self._store(self._scores, "energy", energy(logits))
        self._store(self._scores, "max_logit", max_logit(logits))
        for stage in NORMED:
            self._store(self._scores, f"norm.{stage}", feature_norm(outputs[ends[stage]]))
        for name in ends.values():
            self._store(self._responses, name, mean_response(outputs[name]))

    def __len__(self) -> int:
        return sum(len(part) for part in self._scores.get("energy", []))

    def profiles(self, half: slice) -> dict[str, Tensor]:
        """Mean and spread of each channel over some of the pictures, by step: [2,C]."""
        ends = stage_ends(self._network.steps)
        return {
            ends[stage]: profile(torch.cat(self._responses[ends[stage]])[half]) for stage in STYLED
        }

    def scores(self, profiles: Mapping[str, Tensor], half: slice) -> dict[str, Tensor]:
        """The scores of some of the pictures, each kind sorted in ascending order: [N]."""
        found = {name: torch.cat(parts)[half] for name, parts in self._scores.items()}
        responses = {name: torch.cat(self._responses[name])[half] for name in profiles}
        found["profile"] = profile_distance(responses, profiles)
        return {name: values.sort().values for name, values in found.items()}

    def means(self, labels: Tensor, classes: int) -> dict[str, Tensor]:
        """Mean activation of each channel on the pictures of each class, by step: [classes,C].

        `labels` [N] are those of all pictures, -1 for none; each class has at least one picture.
        """
        one_hot = (labels[:, None] == torch.arange(classes)).double()
        shares = one_hot / one_hot.sum(0)
        return {
            name: (shares.T @ torch.cat(parts).double()).float()
            for name, parts in self._responses.items()
        }

    @staticmethod
    def _store(parts: dict[str, list[Tensor]], name: str, values: Tensor) -> None:
        parts.setdefault(name, []).append(values.cpu())


def reference_scores(
    network: Network, data: DataSet, prep: Preprocess, profiles: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Scores of up to 1,000 evenly spaced pictures of the data: see `References`."""
    few, references = data.sample(REFERENCES), References(network, prep)
    for start in range(0, len(few), BATCH):
        references.add(few.pixels[start : start + BATCH])
    return references.scores(profiles, slice(None))


def profiles_of(network: Network, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Mean and spread of each channel of the first stages, by step, from class means: [2,C]."""
    ends = stage_ends(network.steps)
    return {ends[stage]: profile(means[ends[stage]]) for stage in STYLED}


def class_means(network: Network, data: DataSet, prep: Preprocess) -> dict[str, Tensor]:
    """Mean activation of each channel on the pictures of each class, by step: [classes,C].

    An activation is the mean over the feature map of a stage's last step before its pooling.
    """
    ends = list(stage_ends(network.steps).values())
    counts = torch.bincount(data.labels, minlength=len(data.classes)).clamp(min=1)
    sums: dict[str, Tensor] = {}
    for outputs, labels in _passes(network, data, prep):
        for name in ends:
            response = mean_response(outputs[name]).double()
            if name not in sums:
                shape = (len(data.classes), response.shape[1])
                sums[name] = torch.zeros(shape, dtype=torch.float64, device=response.device)
            sums[name].index_add_(0, labels, response)
    return {name: (total / counts[:, None]).float().cpu() for name, total in sums.items()}


def write(
    path: Path,
    scores: Mapping[str, Tensor],
    means: Mapping[str, Tensor],
    profiles: Mapping[str, Tensor],
    about: dict[str, str],
) -> None:
    """Write a calibration file: means as float16, the others as float32, `about` as metadata.

    Raises `TrainingStopped` if it cannot be written.
    """
    tensors = {f"score.{name}": value.contiguous() for name, value in scores.items()}
    tensors |= {f"mean.{name}": value.half().contiguous() for name, value in means.items()}
    tensors |= {f"profile.{name}": value.contiguous() for name, value in profiles.items()}
    write_atomically(path, lambda part: save_file(tensors, part, about))


def _passes(
    network: Network, data: DataSet, prep: Preprocess
) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
    """Yield the outputs of the last steps of stages and the logits, with labels, in batches."""
    for start in range(0, len(data), BATCH):
        pixels = data.pixels[start : start + BATCH]
        yield _outputs(network, pixels, prep), data.labels[start : start + BATCH]


def _outputs(network: Network, pixels: Tensor, prep: Preprocess) -> dict[str, Tensor]:
    """Outputs of the last steps of stages and the logits for a batch, by step."""
    names = {*stage_ends(network.steps).values(), network.logits}
    steps = forward_steps(network, normalise(pixels, prep), until=network.logits)
    return {one.step.name: one.tensor for one in steps if one.step.name in names}
