"""The training loop, step by step, with the same result whether or not it is interrupted.

All random numbers of a step depend only on the seed and the step's number, so that a resumed
training draws the same ones as an uninterrupted one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from app.errors import TrainingStopped
from app.pictures.preprocess import Preprocess, normalise
from app.training.augment import Mixed, cutmix, jitter_colour, random_crop
from app.training.data import DataSet
from app.training.lineage import ALONE, Lineage
from app.training.measure import accuracy
from app.training.options import TrainingOptions
from app.training.trainable import Trainable
from models import registry

ARCHITECTURE = "mini"
CALM_AREA = 0.2  # added to the smallest crop in the calm end


@dataclass(frozen=True, slots=True)
class EpochFigures:
    """One row of the metrics: validation accuracy of the averaged weights, 0..1."""

    epoch: int
    step: int
    rate: float
    loss: float
    top1: float
    top5: float


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """One finished step; `epoch` is set after the last step of an epoch."""

    step: int
    steps: int
    loss: float
    epoch: EpochFigures | None = None


class Trainer:
    """Trains `mini` on `train` and evaluates it on `val`."""

    def __init__(
        self,
        options: TrainingOptions,
        train: DataSet,
        val: DataSet,
        prep: Preprocess,
        device: torch.device,
        lineage: Lineage = ALONE,
    ) -> None:
        self.options, self.prep, self.device, self.lineage = options, prep, device, lineage
        self.train, self.val = train.to(device), val.to(device)
        self.batch = min(options.batch, len(train))
        self.per_epoch = len(train) // self.batch
        self.steps = self.per_epoch * options.epochs
        self.step = 0
        self.history: list[EpochFigures] = []
        self._losses = 0.0
        lineage.check(train.classes)
        torch.manual_seed(_seed(options.seed, "start", 0))
        network = registry.find(ARCHITECTURE).build(
            widths=options.widths, hidden=options.hidden, classes=len(train.classes)
        )
        model = Trainable(network, options.dropout).to(device)
        if lineage.start is not None:
            _begin(model, lineage.start)
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        keep = get_ema_multi_avg_fn(options.average)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(model, multi_avg_fn=keep, use_buffers=True).eval()
        decayed = [value for value in model.parameters() if value.ndim > 1]
        others = [value for value in model.parameters() if value.ndim <= 1]
        groups: list[dict[str, Any]] = [
            {"params": decayed, "weight_decay": options.decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.SGD(
            groups,
            lr=options.rate,
            momentum=options.momentum,
            nesterov=options.momentum > 0,
        )

    def run(self) -> Iterator[TrainingProgress]:
        """Run the remaining steps; after each one the state can be saved."""
        while self.step < self.steps:
            epoch = self.step // self.per_epoch
            order = self._order(epoch)
            for index in range(self.step % self.per_epoch, self.per_epoch):
                chosen = order[index * self.batch :][: self.batch].to(self.device)
                loss = self._advance(chosen)
                row = self._examine(epoch) if index + 1 == self.per_epoch else None
                yield TrainingProgress(self.step, self.steps, loss, row)

    def state(self) -> dict[str, Any]:
        """The state for a checkpoint: numbers, lists and tensors."""
        return {
            "step": self.step,
            "losses": self._losses,
            "history": [asdict(row) for row in self.history],
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore the output of `state`. Raises `KeyError`, `RuntimeError`, `ValueError`."""
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.history = [EpochFigures(**row) for row in state["history"]]
        self.step, self._losses = state["step"], state["losses"]

    def rate(self, step: int) -> float:
        """The learning rate: linear warm-up for one epoch, then a cosine to zero."""
        warm = min(1.0, (step + 1) / self.per_epoch)
        return self.options.rate * warm * 0.5 * (1 + math.cos(math.pi * step / self.steps))

    def _order(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(_seed(self.options.seed, "order", epoch))
        return torch.randperm(len(self.train), generator=generator)

    def _advance(self, chosen: Tensor) -> float:
        seed = _seed(self.options.seed, "step", self.step)
        torch.manual_seed(seed)  # of dropout
        mixed = self._augmented(self.train.pixels[chosen], torch.Generator().manual_seed(seed))
        labels = self.train.labels[chosen]
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(self.step)
        self.model.train()
        fed = mixed.pixels.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
            logits = self.model(fed)
        loss = self._label_loss(logits.float(), labels, mixed)
        if self.lineage.teachers:
            loss = loss.lerp(self._teacher_loss(logits.float(), fed), self.options.teach)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.average.update_parameters(self.model)
        self.step += 1
        value = loss.item()
        self._losses += value
        return value

    def _label_loss(self, logits: Tensor, labels: Tensor, mixed: Mixed) -> Tensor:
        """Cross entropy with the pictures' classes and, with CutMix, those of the pasted boxes."""
        smoothing = self.options.smoothing
        loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        if mixed.share < 1:
            foreign = F.cross_entropy(logits, labels[mixed.other], label_smoothing=smoothing)
            loss = mixed.share * loss + (1 - mixed.share) * foreign
        return loss

    def _teacher_loss(self, logits: Tensor, fed: Tensor) -> Tensor:
        """Distillation loss: KL divergence from the teachers' predictions on the same views.

        The factor heat² compensates for the smaller gradients.
        """
        heat = self.options.heat
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
            targets = self.lineage.predictions(fed, heat)
        return F.kl_div((logits / heat).log_softmax(1), targets, reduction="batchmean") * heat**2

    def _augmented(self, pixels: Tensor, generator: torch.Generator) -> Mixed:
        options = self.options
        calm = self.step >= (1 - options.calm) * self.steps
        area = min(1.0, options.area + CALM_AREA) if calm else options.area
        placed = random_crop(pixels.float(), area, options.turn, generator)
        fed = normalise(jitter_colour(placed, options.colour, generator), self.prep)
        if calm or torch.rand(1, generator=generator).item() >= options.cutmix:
            return Mixed(fed, torch.arange(len(fed), device=fed.device), 1.0)
        return cutmix(fed, generator)

    def _examine(self, epoch: int) -> EpochFigures:
        top1, top5 = accuracy(self.averaged, self.val, self.prep)
        row = EpochFigures(
            epoch + 1, self.step, self.rate(self.step - 1), self._losses / self.per_epoch,
            top1, top5,
        )  # fmt: skip
        self.history.append(row)
        self._losses = 0.0
        return row

    @property
    def averaged(self) -> Trainable:
        """The network with the running average of the weights, which is evaluated and shipped."""
        return cast(Trainable, self.average.module)

    @property
    def _bfloat16(self) -> bool:
        precision = self.options.precision
        return precision == "bfloat16" or (precision == "auto" and self.device.type == "cuda")


def _begin(model: Trainable, state: dict[str, Tensor]) -> None:
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise TrainingStopped(
            "The checkpoint to begin with is of another shape: give the same widths, hidden and "
            f"classes. ({str(error).splitlines()[-1].strip()})"
        ) from error


def _seed(seed: int, what: str, number: int) -> int:
    digest = hashlib.sha256(f"{seed} {what} {number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
