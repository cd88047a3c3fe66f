"""From a state to all that follows from it."""

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
    """A state and all that follows from it; without a vote where a layer does not fit."""

    state: BoardState
    outputs: tuple[TinyOutput, ...]
    misfit: str
    vote: Vote | None
    pixels: PixelComparison

    @property
    def last(self) -> Tensor:
        """The maps that vote, or the last there are."""
        return self.outputs[-1].values if self.outputs else self.state.values[None]


def work(state: BoardState) -> BoardResult:
    """Compute everything."""
    board, kernels = state.values, state.weights
    outputs = tuple(forward(board, kernels, state.layers, state.match))
    misfit = plan(state.layers).misfit
    worked = BoardResult(state, outputs, misfit, None, compare(board))
    if misfit:
        return worked
    weights = vote_weights.weights(state.kernels, state.layers, state.match)
    return replace(worked, vote=vote(worked.last, weights))
