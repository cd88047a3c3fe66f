"""A network as a function of pixels: logits and loss gradients, for attacks in pixel values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from app.vision.attacks.goal import AttackGoal
from app.vision.predict import finite_scores

TINY = 1e-20
"""If no number of a gradient is larger, cross-entropy is saturated and its digits are lost."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Logits [N,K] of pictures, and the gradient of the loss by their pixels, [N,3,S,S].

    `margin` says that a picture's cross-entropy had no gradient and the margin was used.
    """

    logits: Tensor
    gradient: Tensor
    margin: bool


class Evaluating:
    """Context manager: modules are in evaluation mode inside; each mode is restored on exit."""

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self._training = [module for module in modules if module.training]

    def __enter__(self) -> Self:
        self._set(False)
        return self

    def __exit__(self, *_: object) -> None:
        self._set(True)

    def _set(self, training: bool) -> None:
        for module in self._training:
            module.training = training


class PixelModel:
    """Logits from pixels: (pixels / white - mean) / std goes into the network.

    Pixels are floats [N,3,S,S] in 0..white, so that epsilon is in pixel values. The network is not
    changed: no gradients of parameters, no hooks, modules keep their mode.
    """

    def __init__(
        self,
        network: nn.Module,
        mean: Sequence[float],
        std: Sequence[float],
        white: float = 255.0,
    ) -> None:
        self.network = network
        # Listed once: for a small network the list takes a hundredth of a pass.
        self._modules = tuple(network.modules())
        self.white = white
        weight = next(network.parameters(), torch.empty(0))
        self.device = weight.device
        # Tensors made in inference mode cannot take part in a gradient.
        with torch.inference_mode(False):
            self._mean = torch.tensor(mean, device=self.device).view(-1, 1, 1)
            self._std = torch.tensor(std, device=self.device).view(-1, 1, 1)

    def evaluating(self) -> Evaluating:
        """Context in which the network is in evaluation mode."""
        return Evaluating(self._modules)

    def normalised(self, pixels: Tensor) -> Tensor:
        """Normalise pixels, with the same floating-point operations as a picture's own run."""
        return (pixels / self.white - self._mean) / self._std

    def logits(self, pixels: Tensor) -> Tensor:
        """Logits without a gradient, [N,3,S,S] -> [N,K]. Raises `NotFinite`."""
        with self.evaluating(), torch.no_grad():
            logits: Tensor = self.network(self.normalised(pixels))
        return finite_scores(logits)

    def slope(self, pixels: Tensor, goal: AttackGoal, *, margin: bool = False) -> Slope:
        """Gradient of the goal's loss, or of its margin with `margin`, for each picture by itself.

        Where a picture's cross-entropy has no gradient, the margin is used for that picture.
        """
        logits, gradient = self._climb(pixels, goal.margin if margin else goal.loss)
        flat = gradient.flatten(1).abs().amax(1) < TINY
        taken = not margin and bool(flat.any())
        if taken:
            # A second pass: keeping the first one's graph for this rare case would always cost.
            _, steep = self._climb(pixels, goal.margin)
            gradient = torch.where(flat[:, None, None, None], steep, gradient)
        return Slope(logits, gradient, taken)

    def _climb(self, pixels: Tensor, rises: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Logits, and the gradient of `rises(logits)` summed over the pictures."""
        with self.evaluating(), torch.inference_mode(False), torch.enable_grad():
            x = pixels.detach().clone().requires_grad_()
            logits: Tensor = self.network(self.normalised(x))
            (gradient,) = torch.autograd.grad(rises(logits).sum(), x)
        return logits.detach(), gradient
