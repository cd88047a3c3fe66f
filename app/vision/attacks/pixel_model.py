"""A network that is asked in pixels, and left exactly as it was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from app.vision.attacks.goal import AttackGoal

TINY = 1e-20
"""Where no number of a gradient is larger, cross-entropy is saturated: its digits are lost."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Logits [N,K] of some pictures, and the loss's gradient by their pixels, [N,3,S,S].

    `margin` says that a picture's cross-entropy had no slope and the margin was taken.
    """

    logits: Tensor
    gradient: Tensor
    margin: bool


class Evaluating:
    """While inside, modules are in evaluation mode; each gets its own mode back."""

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

    Pixels are floats [N,3,S,S] in 0..white, so that epsilon is in pixel values. Parameters get no
    gradients, modules keep their mode, nothing is hooked.
    """

    def __init__(
        self,
        network: nn.Module,
        mean: Sequence[float],
        std: Sequence[float],
        white: float = 255.0,
    ) -> None:
        self.network = network
        # Walked once: for a small network the walk is a hundredth of a pass.
        self._modules = tuple(network.modules())
        self.white = white
        weight = next(network.parameters(), torch.empty(0))
        self.device = weight.device
        # Tensors made in inference mode cannot take part in a gradient.
        with torch.inference_mode(False):
            self._mean = torch.tensor(mean, device=self.device).view(-1, 1, 1)
            self._std = torch.tensor(std, device=self.device).view(-1, 1, 1)

    def evaluating(self) -> Evaluating:
        """The network in evaluation mode, for as long as the context lasts."""
        return Evaluating(self._modules)

    def normalised(self, pixels: Tensor) -> Tensor:
        """What the network reads of pixels, operation for operation as for a picture's own run."""
        return (pixels / self.white - self._mean) / self._std

    def logits(self, pixels: Tensor) -> Tensor:
        """[N,3,S,S] -> [N,K], without a gradient."""
        with self.evaluating(), torch.no_grad():
            logits: Tensor = self.network(self.normalised(pixels))
        return logits

    def slope(self, pixels: Tensor, goal: AttackGoal, *, margin: bool = False) -> Slope:
        """Gradient of the goal's loss (its margin where asked), each picture by itself.

        Where cross-entropy has no slope, the margin takes over for that picture.
        """
        logits, gradient = self._climb(pixels, goal.margin if margin else goal.loss)
        flat = gradient.flatten(1).abs().amax(1) < TINY
        taken = not margin and bool(flat.any())
        if taken:
            # A second pass: keeping the first one's graph for this rare case would cost always.
            _, steep = self._climb(pixels, goal.margin)
            gradient = torch.where(flat[:, None, None, None], steep, gradient)
        return Slope(logits, gradient, taken)

    def _climb(self, pixels: Tensor, rises: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Logits, and the gradient of what rises with them, summed over the pictures."""
        with self.evaluating(), torch.inference_mode(False), torch.enable_grad():
            x = pixels.detach().clone().requires_grad_()
            logits: Tensor = self.network(self.normalised(x))
            (gradient,) = torch.autograd.grad(rises(logits).sum(), x)
        return logits.detach(), gradient
