"""Computes the tiny network's maps, vote and comparison from a state of the page."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from app.vision.tiny_network.network import TinyOutput, forward, plan
from app.vision.tiny_network.pixels import PixelComparison, compare
from app.vision.tiny_network.vote import Vote, vote
from app.web.lab.xo import vote_weights
from app.web.lab.xo.state import BoardState


@dataclass(frozen=True, slots=True)
class BoardResult:
    """A state and its results; no vote if a layer does not fit."""

    state: BoardState
    outputs: tuple[TinyOutput, ...]
    misfit: str
    vote: Vote | None
    pixels: PixelComparison

    @property
    def last(self) -> Tensor:
        """The maps of the last layer that fits."""
        return self.outputs[-1].values if self.outputs else self.state.values[None]


def work(state: BoardState) -> BoardResult:
    """Compute all results."""
    board, kernels = state.values, state.weights
    outputs = tuple(forward(board, kernels, state.layers, state.match))
    misfit = plan(state.layers).misfit
    worked = BoardResult(state, outputs, misfit, None, compare(board))
    if misfit:
        return worked
    weights = vote_weights.weights(state.kernels, state.layers, state.match)
    return replace(worked, vote=vote(worked.last, weights))
