"""The boards that the tiny network learns from, and those that it has not seen.

The generator draws plain letters again and again. Test boards drawn without a look at what was
learned from are therefore mostly known ones: the accuracy on them says too much ("leakage";
Kapoor and Narayanan, "Leakage and the reproducibility crisis in machine-learning-based science",
2023). So `unseen` has only new boards, and `unchecked` is kept beside it to show the difference.

What is learned from keeps its repetitions, and the kernels and the vote's weights share boards.
There are fewer than 200 boards without noise: with each board once and in one set only, nearly all
are noisy ones, and a thick X is taken for an O.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.tiny_network.board import generate_boards

TRAINING, FITTING, TESTED = 1000, 600, 400
"""Number of boards to learn kernels from, to fit the vote's weights on, and to test on."""

_TRAINING_SEED, _FITTING_SEED, _TESTED_SEED = 4, 1, 2
_DRAWN = 8 * TESTED


@dataclass(frozen=True, slots=True)
class LetteredBoards:
    """Boards [n,9,9] and their signs [n], +1 for an X and -1 for an O."""

    boards: Tensor
    signs: Tensor

    def __len__(self) -> int:
        return len(self.signs)

    def keys(self) -> tuple[bytes, ...]:
        """Each board's ink as bytes: two boards are the same where these are."""
        return tuple(row.tobytes() for row in (self.boards > 0).flatten(1).numpy())

    def count_in(self, others: LetteredBoards) -> int:
        """How many of these boards are among the others, too."""
        known = set(others.keys())
        return sum(key in known for key in self.keys())


@dataclass(frozen=True, slots=True)
class ExampleBoards:
    """Boards to learn from, and two sets to test on.

    `training` is for the kernels and `fitting` for the vote's weights. `unseen` has different
    boards, none of them in either; `unchecked` is drawn as they are, whatever they have.
    """

    training: LetteredBoards
    fitting: LetteredBoards
    unseen: LetteredBoards
    unchecked: LetteredBoards


def example_boards() -> ExampleBoards:
    """Draw the sets, the same ones always; as many X as O in each."""
    training, fitting = _drawn(TRAINING, _TRAINING_SEED), _drawn(FITTING, _FITTING_SEED)
    known = {*training.keys(), *fitting.keys()}
    unseen = _new(_drawn(_DRAWN, _TESTED_SEED), known)
    return ExampleBoards(training, fitting, unseen, _drawn(TESTED, _TESTED_SEED))


def _drawn(count: int, seed: int) -> LetteredBoards:
    return LetteredBoards(*generate_boards(count, seed))


def _new(drawn: LetteredBoards, known: set[bytes]) -> LetteredBoards:
    """The first `TESTED` boards that are not known, each once, as many X as O."""
    first: dict[bytes, int] = {}
    for i, key in enumerate(drawn.keys()):
        if key not in known:
            first.setdefault(key, i)
    new = torch.tensor(list(first.values()))
    letters = (new[drawn.signs[new] == sign][: TESTED // 2] for sign in (1, -1))
    chosen = torch.stack(tuple(letters), 1).flatten()
    return LetteredBoards(drawn.boards[chosen], drawn.signs[chosen])
