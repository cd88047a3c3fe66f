"""How good is a network: shares right, class by class, what it mixes up, whether it is too sure."""

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
    """One class: how many pictures, shares in 0..1 of them right first and among the first five.

    `precision` is the share of right ones among the pictures so called, None where none was.
    `mistaken` is the class it is most often taken for, None where it never is, in `times` pictures.
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
    """Answers with a probability of low..high: how many, how sure, how often right (0..1)."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of a network on a data set.

    `confusion` is [classes of the data, classes of the data + 1], pictures of the row's class
    called the column's; the last column counts those called something the data has no class for.
    `ece` is the expected calibration error, 0..1: the mean of |accuracy - confidence| over the
    answers, by 15 bins of equal width (arXiv 1706.04599).
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
    """What was answered to N pictures: the five likeliest classes [N,5], the first's probability
    [N], and the true class as an index into the data's [N].
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
    """Examine a network whose outputs are called `names` (as the data's folders are), in order.

    `parts` are one data set, some pictures at a time. A network of 1,000 classes answers among all
    of them, also where the data has 100.
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
    """Answers by how sure they are; a bin without answers has zeros."""
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
