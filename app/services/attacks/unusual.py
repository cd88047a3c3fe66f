"""How unusual is a picture for a network (out-of-distribution scores, compared with photos)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from app.services.engine.engine import Engine
from app.services.networks.calibration import Calibration
from app.services.networks.catalogue import Model
from app.services.runs.batch_inference import outputs_of
from app.services.runs.pairs import PicturePair
from app.services.runs.run import Run
from app.vision.attacks.control_noise import control_noise, noise_kind
from app.vision.predict import RankedClass, top
from app.vision.stages import stage_ends
from app.vision.unusual import (
    RARE,
    ScorePlace,
    energy,
    feature_norm,
    max_logit,
    mean_response,
    place,
    profile_distance,
)
from models.graph import Network

BINS = 40
BEYOND = 0.25
"""How far the axis extends beyond the references for a mark, as a share of their range."""


@dataclass(frozen=True, slots=True)
class Score:
    """A number that separates usual from unusual pictures; `side` says which values are unusual.

    `how` explains it.
    """

    id: str
    title: str
    side: Literal["low", "high", "both"]
    how: str


SCORES: tuple[Score, ...] = (
    Score(
        "profile", "Style: how layers 1–3 respond", "high",
        "How far the mean response of each map of stages 1–3 is from what photos usually give, "
        "in units of its usual spread. High is unusual.",
    ),
    Score(
        "max_logit", "Strength of the answer", "low",
        "The largest score (logit). Low is unusual: no class has a high score.",
    ),
    Score(
        "norm.4", "How much layer 4 responds", "both",
        "The length (Euclidean norm) of the output of stage 4. Very low and very high are unusual.",
    ),
    Score(
        "norm.5", "How much layer 5 responds", "both",
        "The length (Euclidean norm) of the output of stage 5. Very low and very high are unusual.",
    ),
    Score(
        "energy", "Energy of the answer", "low",
        "log Σ exp(logits): like the largest score, but counting all classes. Low is unusual.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScoreReading:
    """One score of one picture, and its place among the references."""

    score: Score
    value: float
    place: ScorePlace

    @property
    def p_value(self) -> float:
        """See `ScorePlace.p_value`."""
        return self.place.p_value(self.score.side)

    @property
    def beaten(self) -> float:
        """See `ScorePlace.beaten`."""
        return self.place.beaten(self.score.side)

    @property
    def rare(self) -> bool:
        """Whether the picture is called unusual."""
        return self.p_value <= RARE


@dataclass(frozen=True, slots=True)
class JudgedPicture:
    """The scores of one picture, and its most likely class."""

    readings: tuple[ScoreReading, ...]
    first: RankedClass


@dataclass(frozen=True, slots=True)
class Histogram:
    """Reference scores in bins of equal width from `low` to `high`, with a count per bin."""

    low: float
    high: float
    counts: tuple[int, ...]

    def at(self, value: float) -> float:
        """Position of a score on the axis, clipped to 0..1."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def scored_steps(network: Network) -> set[str]:
    """The steps whose outputs the scores are computed from."""
    return {*stage_ends(network.steps).values(), network.logits}


def readings(
    outputs: Mapping[str, Tensor], network: Network, found: Calibration
) -> tuple[ScoreReading, ...]:
    """Every calibrated score, from the outputs [C,H,W] and [K] of the `scored_steps`."""
    values = _values(outputs, network, found)
    return tuple(
        ScoreReading(score, values[score.id], place(values[score.id], found.scores[score.id]))
        for score in SCORES
        if score.id in values and score.id in found.scores
    )


def read_run(run: Run, found: Calibration) -> tuple[ScoreReading, ...]:
    """The same as `readings`, for a finished run."""
    outline = run.model.outline
    return readings({name: run.tensor(name) for name in scored_steps(outline)}, outline, found)


async def judged(
    engine: Engine, model: Model, network: Network, found: Calibration, pictures: Sequence[Tensor]
) -> list[JudgedPicture]:
    """Scores and prediction of each of a few pictures, uint8 [3,S,S]. Raises `Busy`."""
    outputs = await outputs_of(engine, model, network, pictures, scored_steps(network))
    return [
        JudgedPicture(readings(one, network, found), top(one[network.logits], 1)[0])
        for one in outputs
    ]


def control(pair: PicturePair) -> Tensor:
    """The clean picture with random noise as large as the perturbation, uint8 [3,S,S]."""
    clean, attacked = pair.clean[None], pair.attacked[None]
    return control_noise(noise_kind(clean, attacked), clean, attacked, pair.seed)[0]


def histogram(references: Tensor, marks: Sequence[float]) -> Histogram:
    """Count sorted references in `BINS` bins; the axis includes the marks, if they are near."""
    first, last = float(references[0]), float(references[-1])
    room = BEYOND * ((last - first) or 1.0)
    low = max(min(first, *marks), first - room)
    high = min(max(last, *marks), last + room)
    high = high if high > low else low + 1
    places = ((references.double() - low) / (high - low) * BINS).long().clamp(0, BINS - 1)
    return Histogram(low, high, tuple(torch.bincount(places, minlength=BINS).tolist()))


def _values(
    outputs: Mapping[str, Tensor], network: Network, found: Calibration
) -> dict[str, float]:
    logits, ends = outputs[network.logits][None], stage_ends(network.steps)
    values = {"energy": energy(logits).item(), "max_logit": max_logit(logits).item()}
    for stage in (4, 5):
        values[f"norm.{stage}"] = feature_norm(outputs[ends[stage]][None]).item()
    if found.profiles:
        responses = {name: mean_response(outputs[name][None]) for name in found.profiles}
        values["profile"] = profile_distance(responses, found.profiles).item()
    return values
