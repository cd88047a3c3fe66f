"""What a network usually does: reference scores of held-out pictures, mean responses by class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from app.pictures.preprocess import Preprocess, normalise
from app.training.checkpoint import write_whole
from app.training.data import DataSet
from app.training.measure import BATCH
from app.vision.forward import forward_steps
from app.vision.unusual import energy, feature_norm, max_logit, stage_ends
from models.graph import Network

REFERENCES = 1000
NORMED = (4, 5)  # the stages whose feature norm is a score


def reference_scores(network: Network, data: DataSet, prep: Preprocess) -> dict[str, Tensor]:
    """Scores of up to 1,000 pictures, evenly over the data, each kind sorted upwards: [N].

    `energy`, `max_logit`, and `norm.4`, `norm.5`, the feature norms at the end of a stage.
    """
    few = data.sample(REFERENCES)
    ends = stage_ends(network)
    scores: dict[str, list[Tensor]] = {}
    for outputs, _ in _passes(network, few, prep):
        logits = outputs[network.logits]
        scores.setdefault("energy", []).append(energy(logits))
        scores.setdefault("max_logit", []).append(max_logit(logits))
        for stage in NORMED:
            norms = feature_norm(outputs[ends[stage]])
            scores.setdefault(f"norm.{stage}", []).append(norms)
    return {name: torch.cat(parts).sort().values.cpu() for name, parts in scores.items()}


def class_means(network: Network, data: DataSet, prep: Preprocess) -> dict[str, Tensor]:
    """Mean response of each channel to the pictures of each class, by step: [classes,C].

    A response is the mean over the map of the last step of a stage before its pool.
    """
    ends = list(stage_ends(network).values())
    counts = torch.bincount(data.labels, minlength=len(data.classes)).clamp(min=1)
    sums: dict[str, Tensor] = {}
    for outputs, labels in _passes(network, data, prep):
        for name in ends:
            response = outputs[name].mean((2, 3)).double()
            if name not in sums:
                shape = (len(data.classes), response.shape[1])
                sums[name] = torch.zeros(shape, dtype=torch.float64, device=response.device)
            sums[name].index_add_(0, labels, response)
    return {name: (total / counts[:, None]).float().cpu() for name, total in sums.items()}


def write(
    path: Path, scores: dict[str, Tensor], means: dict[str, Tensor], about: dict[str, str]
) -> None:
    """Store both, scores as float32 and means as float16, with where they come from.

    Raises `TrainingStopped` where nothing can be written.
    """
    tensors = {f"score.{name}": value.contiguous() for name, value in scores.items()}
    tensors |= {f"mean.{name}": value.half().contiguous() for name, value in means.items()}
    write_whole(path, lambda part: save_file(tensors, part, about))


def _passes(
    network: Network, data: DataSet, prep: Preprocess
) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
    """Outputs of the stages' ends and the logits, with the labels, batch by batch."""
    wanted = {*stage_ends(network).values(), network.logits}
    for start in range(0, len(data), BATCH):
        fed = normalise(data.pixels[start : start + BATCH], prep)
        steps = forward_steps(network, fed, until=network.logits)
        outputs = {one.step.name: one.tensor for one in steps if one.step.name in wanted}
        yield outputs, data.labels[start : start + BATCH]
