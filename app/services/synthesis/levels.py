"""Reference values of a synthesis goal: on a run's picture, and on plain grey."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from app.services.engine.engine import Engine
from app.services.networks.catalogue import Catalogue, Model
from app.services.runs.run import Run, preprocess
from app.services.synthesis.query import SynthesisQuery
from app.vision.synthesis import GREY
from app.vision.synthesis_goals import SynthesisGoal, objective_response, slope


@dataclass(frozen=True, slots=True)
class ObjectiveLevel:
    """A step's activations as goals measure them: channel `means` [C], mean `square` of all."""

    means: Tensor
    square: float

    @classmethod
    def of(cls, output: Tensor, slope: float) -> ObjectiveLevel:
        """Compute it from a step's output, [C,H,W] or [K]."""
        values = objective_response(output, slope)
        means = values.mean((1, 2)) if values.ndim == 3 else values
        return cls(means, values.square().mean().item())

    def value(self, goal: SynthesisGoal) -> float:
        """The goal's value, with its sign unchanged even if the goal is to lower it."""
        if goal.channel is None:
            return self.square
        return replace(goal, away=False).value(self.means).item()


class GreyLevels:
    """Levels of every step of a network for plain grey: one pass per network, on first use."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._engine, self._catalogue = engine, catalogue
        self._known: dict[tuple[str, str], dict[str, ObjectiveLevel]] = {}

    async def of(self, query: SynthesisQuery) -> float:
        """The goal's value for grey. Raises `WeightsMissing`, `Busy`."""
        model = query.model
        key = (model.id, model.row.sha256)
        if key not in self._known:
            self._known[key] = await self._measured(model)
        return self._known[key][query.at].value(query.goal)

    async def _measured(self, model: Model) -> dict[str, ObjectiveLevel]:
        network = await self._catalogue.network(model.id)
        prep, side = preprocess(model), network.input_size
        shade = (GREY - torch.tensor(prep.mean)) / torch.tensor(prep.std)
        grey = shade.view(3, 1, 1).expand(3, side, side).contiguous()
        return {
            one.step.name: ObjectiveLevel.of(one.tensor, slope(model.outline, one.step.name))
            async for one in self._engine.forward(network, grey)
        }


def on_picture(query: SynthesisQuery, run: Run) -> float:
    """The goal's value for a run's picture; the step must be finished."""
    at = query.at
    return ObjectiveLevel.of(run.tensor(at), slope(query.model.outline, at)).value(query.goal)
