"""The boards of X or O: what is tested was not learned from."""

from __future__ import annotations

import torch

from app.vision.tiny_network.examples import (
    FITTING,
    TESTED,
    TRAINING,
    LetteredBoards,
    example_boards,
)

EXAMPLES = example_boards()


def test_no_board_of_the_test_was_learned_from_and_each_is_there_once() -> None:
    counts = [
        len(one)
        for one in (EXAMPLES.training, EXAMPLES.fitting, EXAMPLES.unseen, EXAMPLES.unchecked)
    ]
    assert counts == [TRAINING, FITTING, TESTED, TESTED]
    assert EXAMPLES.unseen.count_in(EXAMPLES.training) == 0
    assert EXAMPLES.unseen.count_in(EXAMPLES.fitting) == 0
    assert len(set(EXAMPLES.unseen.keys())) == TESTED
    assert float(EXAMPLES.unseen.signs.sum()) == 0
    # Drawn without a check, more than two in three are known: this is why they are left out.
    assert EXAMPLES.unchecked.count_in(EXAMPLES.training) > TESTED * 2 / 3
    assert EXAMPLES.unchecked.count_in(EXAMPLES.fitting) > TESTED * 2 / 3


def test_boards_are_counted_by_hand_and_a_letter_keeps_its_sign() -> None:
    for tested in (EXAMPLES.unseen, EXAMPLES.unchecked):
        some = LetteredBoards(tested.boards[:40], tested.signs[:40])
        by_hand = sum(
            bool((EXAMPLES.fitting.boards == b).flatten(1).all(1).any()) for b in some.boards
        )
        assert some.count_in(EXAMPLES.fitting) == by_hand
    # The middle of every O is paper, but for noise; an X crosses there.
    middle = EXAMPLES.unseen.boards[:, 3:6, 3:6].sum((1, 2))
    signs = EXAMPLES.unseen.signs
    assert float(middle[signs < 0].mean()) < -6 < -4 < float(middle[signs > 0].mean())


def test_the_boards_are_the_same_ones_always() -> None:
    again = example_boards()
    for one, other in (
        (EXAMPLES.training, again.training),
        (EXAMPLES.fitting, again.fitting),
        (EXAMPLES.unseen, again.unseen),
        (EXAMPLES.unchecked, again.unchecked),
    ):
        assert torch.equal(one.boards, other.boards)
        assert torch.equal(one.signs, other.signs)
