"""The options (hyperparameters) of a training; the defaults were best without teachers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from app.errors import BadRequest
from models.mini import HIDDEN, WIDTHS

Precision = Literal["auto", "float32", "bfloat16"]


def _option(default: Any, help: str, low: float, high: float = math.inf) -> Any:
    return field(default=default, metadata={"help": help, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """The options of one training; every field is an option of `python -m app train`.

    The field's help text is shown by `--help`. Raises `BadRequest` for a value out of range.
    """

    widths: tuple[int, ...] = _option(WIDTHS, "channels of conv1-5", 1)
    hidden: int = _option(HIDDEN, "outputs of fc6", 1)
    epochs: int = _option(70, "passes over all pictures", 1)
    batch: int = _option(128, "pictures a step", 2)
    rate: float = _option(0.1, "highest learning rate, after the first epoch; a cosine then", 1e-9)
    momentum: float = _option(0.9, "of stochastic gradient descent (Nesterov)", 0, 0.999)
    decay: float = _option(7e-4, "weight decay of kernels and matrices", 0)
    dropout: float = _option(0.3, "share of numbers dropped before fc6 and fc7", 0, 0.95)
    smoothing: float = _option(0.1, "share of a label given to all classes", 0, 0.95)
    average: float = _option(0.999, "decay of the running average of the weights", 0, 0.99999)
    area: float = _option(0.3, "smallest area of a crop, as a share of the picture", 0.01, 1)
    colour: float = _option(0.3, "largest change of brightness, contrast, saturation", 0, 0.95)
    turn: float = _option(8.0, "largest rotation, degrees", 0, 180)
    cutmix: float = _option(0.5, "share of steps in which pictures get a patch of another", 0, 1)
    calm: float = _option(0.06, "share of the steps, at the end, with larger crops only", 0, 1)
    teach: float = _option(0.7, "weight of the teachers' loss, if there are teachers", 0, 1)
    heat: float = _option(2.0, "temperature of the logits in the teachers' loss", 0.1)
    seed: int = _option(0, "seed of all random numbers", 0)
    precision: Precision = field(
        default="auto", metadata={"help": "auto is bfloat16 on CUDA and float32 elsewhere"}
    )

    def __post_init__(self) -> None:
        if len(self.widths) != 5:
            raise BadRequest(f"widths must be five numbers, not {len(self.widths)}.")
        for one in fields(self):
            value = getattr(self, one.name)
            for number in value if isinstance(value, tuple) else (value,):
                _check(one.name, number, one.metadata)

    def differences(self, other: TrainingOptions) -> list[str]:
        """The differences in words: `epochs 12 and not 48`."""
        mine, theirs = asdict(self), asdict(other)
        return [f"{name} {theirs[name]} and not {mine[name]}" for name in mine
                if mine[name] != theirs[name]]  # fmt: skip

    @classmethod
    def of(cls, values: dict[str, Any]) -> TrainingOptions:
        """Options from the output of `asdict`. Raises `TypeError`, `ValueError`."""
        known = {one.name for one in fields(cls)}
        if unknown := values.keys() - known:
            raise ValueError(f"unknown options: {', '.join(sorted(unknown))}")
        return cls(**{**values, "widths": tuple(values["widths"])})


def _check(name: str, value: Any, limits: Mapping[str, Any]) -> None:
    if "low" not in limits or limits["low"] <= value <= limits["high"]:
        return
    upper = f" and at most {limits['high']}" if limits["high"] < math.inf else ""
    raise BadRequest(f"{name} must be at least {limits['low']}{upper}, not {value}.")
