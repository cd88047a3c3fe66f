"""Activation maximisation (feature visualisation): synthesise a picture that excites a unit most.

Gradient ascent from grey on the picture, not on the weights. Erhan et al. 2009,
"Visualizing Higher-Layer Features of a Deep Network"; the recipe is that of Olah, Mordvintsev,
Schubert 2017, "Feature Visualization": see `spectrum` and `random_views`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from app.vision.adam_ascent import Ascent
from app.vision.partial_forward import gradient_of
from app.vision.random_views import SeenView
from app.vision.spectrum import Spectrum
from app.vision.synthesis_goals import Lens, SynthesisGoal
from models.graph import Network

GREY = 0.5
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class SynthesisRecipe:
    """`size` in pixels, `steps` of Adam at `rate`; a picture every `every` steps, 0: at the end."""

    size: int = 128
    steps: int = 512
    rate: float = 0.05
    seed: int = 0
    every: int = 0


@dataclass(frozen=True, slots=True)
class SynthesisFrame:
    """The state after `step` steps, 0 before the first.

    `objectives` are the goals' values, one for each picture: of the random view that the step used,
    in the first and last frame of the picture itself. `pictures` is [N,3,S,S] in 0..1, None between
    two that are due.
    """

    step: int
    objectives: tuple[float, ...]
    pictures: Tensor | None


class Synthesis:
    """Gradient ascent of one picture for each goal at one step of a network.

    The network is not changed. `mean` and `std` normalise its input. Only what the goals need is
    computed. Raises `KeyError` for an unknown step, `IndexError` for an unknown channel,
    `ValueError` without goals and for a network that is not in `eval` mode (its running statistics
    would change).
    """

    def __init__(
        self,
        network: Network,
        step: str,
        goals: Sequence[SynthesisGoal],
        mean: Triple,
        std: Triple,
        recipe: SynthesisRecipe | None = None,
    ) -> None:
        if not goals or network.training:
            raise ValueError("synthesis wants goals, and a network in eval mode")
        self.recipe = recipe or SynthesisRecipe()
        device = next(network.parameters()).device
        self._generator = torch.Generator().manual_seed(self.recipe.seed)
        # Created outside any inference mode of the caller: inference tensors have no gradients.
        with torch.inference_mode(False):
            self._lens = Lens(network, step, goals)
            self._contrast = 1 / torch.tensor(std, device=device).view(3, 1, 1)
            self._grey = (GREY - torch.tensor(mean, device=device).view(3, 1, 1)) * self._contrast
            self._spectrum = Spectrum.of(self.recipe.size, device)
            self._numbers = self._spectrum.start(len(goals), self.recipe.seed)
            self._ascent = Ascent(self._numbers, self.recipe.rate)

    @property
    def at(self) -> str:
        """The step at which the goals are measured: never after a ReLU."""
        return self._lens.at

    def advance(self) -> tuple[float, ...]:
        """Take one step for every picture; returns the goals' values before it."""
        with torch.inference_mode(False), torch.enable_grad():
            numbers = self._numbers.detach().requires_grad_()
            pictures = self._spectrum.picture(numbers)
            view = SeenView.random(self.recipe.size, self._generator)
            values = self._values(view.of(pictures - GREY, self._lens.side))
            self._ascent.step(gradient_of(values.sum(), numbers))
            found: list[float] = values.tolist()
        return tuple(found)

    def pictures(self) -> Tensor:
        """The pictures as they are now, [N,3,S,S] in 0..1."""
        with torch.no_grad():
            return self._spectrum.picture(self._numbers)

    def measure(self) -> tuple[float, ...]:
        """The goals' values for the pictures themselves, without a random view."""
        with torch.inference_mode():
            seen, side = self.pictures() - GREY, self._lens.side
            if side and side != self.recipe.size:
                seen = F.interpolate(seen, [side] * 2, mode="bilinear", antialias=True)
            found: list[float] = self._values(seen).tolist()
        return tuple(found)

    def _values(self, around_grey: Tensor) -> Tensor:
        return self._lens.values(torch.addcmul(self._grey, around_grey, self._contrast))


def synthesise(synthesis: Synthesis) -> Iterator[SynthesisFrame]:
    """Yield a `SynthesisFrame` at the start and after each step; no mode is held across a yield.

    The last frame has the finished pictures.
    """
    recipe = synthesis.recipe
    yield SynthesisFrame(0, synthesis.measure(), synthesis.pictures() if recipe.every else None)
    for step in range(1, recipe.steps + 1):
        values = synthesis.advance()
        if step == recipe.steps:
            yield SynthesisFrame(step, synthesis.measure(), synthesis.pictures())
        else:
            due = recipe.every and step % recipe.every == 0
            yield SynthesisFrame(step, values, synthesis.pictures() if due else None)
