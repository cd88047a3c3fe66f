"""How good is a network: accuracy by class, confusion matrix, calibration (reliability)?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.pictures.preprocess import Preprocess
from app.training.data import DataSet
from app.training.measure import logits

BINS = 15


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class: number of pictures, top-1 and top-5 accuracy, 0..1.

    `precision` is the share of correct ones among the pictures predicted as this class, None if
    there are none. `mistaken` is the class it is most often confused with, None if it never is, in
    `times` pictures.
    """

    name: str
    pictures: int
    top1: float
    top5: float
    precision: float | None
    mistaken: str | None
    times: int


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Predictions with a probability of low..high: count, mean confidence, accuracy (0..1)."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All measurements of a network on a data set.

    `confusion` is [classes of the data, classes of the data + 1]: pictures of the row's class
    predicted as the column's; the last column counts predictions of classes that the data lacks.
    `ece` is the expected calibration error, 0..1: the mean of |accuracy - confidence| over the
    predictions, in 15 bins of equal width (arXiv 1706.04599).
    """

    pictures: int
    top1: float
    top5: float
    ece: float
    classes: tuple[ClassFigures, ...]
    confusion: Tensor
    reliability: tuple[CalibrationBin, ...]


@dataclass(frozen=True, slots=True)
class TopAnswers:
    """Predictions for N pictures: the five most likely classes `ranked` [N,5], the probability
    `sure` of the first [N], and the true classes `labels` [N], as indices of the data's classes.
    """

    ranked: Tensor
    sure: Tensor
    labels: Tensor


def evaluate(
    network: Callable[[Tensor], Tensor],
    parts: Iterable[DataSet],
    prep: Preprocess,
    names: Sequence[str],
) -> Evaluation:
    """Evaluate a network whose classes are `names`, in order, as the data's folders are named.

    `parts` are one data set in parts. A network of 1,000 classes predicts among all of them,
    even if the data has only 100.
    """
    classes: tuple[str, ...] = ()
    answered = []
    for part in parts:
        classes = part.classes
        answered += [_answers(batch, labels) for batch, labels in logits(network, part, prep)]
    ranked = torch.cat([one.ranked for one in answered])
    sure = torch.cat([one.sure for one in answered])
    labels = torch.cat([one.labels for one in answered])
    outputs = torch.tensor([list(names).index(name) for name in classes])
    hit = ranked == outputs[labels][:, None]
    reliability = _reliability(sure, hit[:, 0])
    confusion = _confusion(ranked[:, 0], labels, outputs, len(names))
    return Evaluation(
        len(labels),
        hit[:, 0].double().mean().item(),
        hit.any(1).double().mean().item(),
        sum(one.count * abs(one.accuracy - one.confidence) for one in reliability) / len(labels),
        tuple(_class(i, classes, hit[labels == i], confusion) for i in range(len(classes))),
        confusion,
        reliability,
    )


def _answers(batch: Tensor, labels: Tensor) -> TopAnswers:
    ranked = batch.topk(min(5, batch.shape[1]), 1).indices
    sure = batch.softmax(1).gather(1, ranked[:, :1]).flatten()
    return TopAnswers(ranked.cpu(), sure.cpu(), labels.cpu())


def _reliability(sure: Tensor, right: Tensor) -> tuple[CalibrationBin, ...]:
    """Predictions binned by confidence; an empty bin has zeros."""
    places = (sure * BINS).long().clamp(max=BINS - 1)
    bins = []
    for i in range(BINS):
        here = places == i
        count = int(here.sum())
        confidence = sure[here].double().mean().item() if count else 0.0
        accuracy = right[here].double().mean().item() if count else 0.0
        bins.append(CalibrationBin(i / BINS, (i + 1) / BINS, count, confidence, accuracy))
    return tuple(bins)


def _confusion(answers: Tensor, labels: Tensor, outputs: Tensor, known: int) -> Tensor:
    count = len(outputs)
    column = torch.full((known,), count)
    column[outputs] = torch.arange(count)
    pairs = labels * (count + 1) + column[answers]
    return torch.bincount(pairs, minlength=count * (count + 1)).view(count, count + 1)


def _class(index: int, classes: Sequence[str], mine: Tensor, confusion: Tensor) -> ClassFigures:
    called = int(confusion[:, index].sum())
    others = confusion[index, :-1].clone()
    others[index] = 0
    times, worst = (int(value) for value in others.max(0))
    return ClassFigures(
        classes[index],
        len(mine),
        mine[:, 0].double().mean().item(),
        mine.any(1).double().mean().item(),
        int(confusion[index, index]) / called if called else None,
        classes[worst] if times else None,
        times,
    )
