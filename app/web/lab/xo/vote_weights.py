"""Caches of the tiny network's examples, and of its fitted vote weights by kernels and layers."""

from __future__ import annotations

from functools import cache, lru_cache

import torch

from app.vision.tiny_network.examples import ExampleBoards, example_boards
from app.vision.tiny_network.network import KERNEL, Match, TinyLayer
from app.vision.tiny_network.vote import VoteWeights, fit


@lru_cache(512)
def weights(kernels: tuple[float, ...], layers: tuple[TinyLayer, ...], match: Match) -> VoteWeights:
    """The vote's weights under 27 numbers, three kernels row by row; see `vote.fit`."""
    square = torch.tensor(kernels, dtype=torch.float64).reshape(-1, KERNEL, KERNEL)
    return fit(square, layers, match, examples())


@cache
def examples() -> ExampleBoards:
    """The boards to learn from and to test on, drawn once."""
    return example_boards()
