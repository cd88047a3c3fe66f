"""A training learns, and an interrupted one learns the same to the last bit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from app.training.options import TrainingOptions
from app.training.trainer import Trainer
from tests.support.stripes import SMALL

Make = Callable[[TrainingOptions], Trainer]


def steps(trainer: Trainer, count: int | None = None) -> None:
    for done, _ in enumerate(trainer.run(), 1):
        if done == count:
            break


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return trainer.averaged.state_dict()


def same(first: Trainer, second: Trainer) -> bool:
    pairs = zip(weights(first).values(), weights(second).values(), strict=True)
    return all(a.equal(b) for a, b in pairs)


def test_two_classes_are_told_apart(make: Make) -> None:
    trainer = make(replace(SMALL, epochs=15, cutmix=0.0))
    steps(trainer)
    assert trainer.history[-1].top1 >= 0.95
    assert trainer.history[-1].loss < trainer.history[0].loss
    assert [row.epoch for row in trainer.history] == list(range(1, 16))


@pytest.mark.parametrize("stop", [1, 6, 7, 13])
def test_going_on_gives_the_weights_of_no_interruption(make: Make, stop: int) -> None:
    whole, first, second = (make(SMALL) for _ in range(3))
    steps(whole)
    steps(first, stop)
    second.restore(copy.deepcopy(first.state()))
    assert second.step == stop
    steps(second)
    assert same(whole, second)
    assert whole.history == second.history
    assert not same(first, second)


def test_another_seed_is_another_training(make: Make) -> None:
    first, again, other = (make(replace(SMALL, epochs=1, seed=seed)) for seed in (0, 0, 1))
    for trainer in (first, again, other):
        steps(trainer)
    assert same(first, again)
    assert not same(first, other)


def test_the_rate_rises_for_an_epoch_and_falls_to_zero(make: Make) -> None:
    trainer = make(SMALL)
    rates = [trainer.rate(step) for step in range(trainer.steps)]
    assert trainer.per_epoch == 6
    assert 0.8 * SMALL.rate < max(rates) <= SMALL.rate
    assert rates[:6] == sorted(rates[:6])
    assert rates[6:] == sorted(rates[6:], reverse=True)
    assert rates[-1] < 0.02 * SMALL.rate


def test_every_picture_is_seen_once_an_epoch(make: Make) -> None:
    trainer = make(SMALL)
    seen: list[int] = []

    class Seen:
        """The training pictures, of which it is noted who is taken."""

        def __init__(self, pixels: torch.Tensor) -> None:
            self.pixels = pixels

        def __getitem__(self, chosen: torch.Tensor) -> torch.Tensor:
            seen.extend(chosen.tolist())
            return self.pixels[chosen]

    trainer.train = replace(trainer.train, pixels=Seen(trainer.train.pixels))  # type: ignore[arg-type]
    steps(trainer, 6)
    assert sorted(seen) == list(range(120))


def test_weights_decay_but_not_norms_and_biases(make: Make) -> None:
    decayed, others = make(SMALL).optimiser.param_groups
    assert (decayed["weight_decay"], others["weight_decay"]) == (SMALL.decay, 0)
    assert all(value.ndim > 1 for value in decayed["params"])
    assert all(value.ndim == 1 for value in others["params"])


def test_bfloat16_learns_as_well(make: Make) -> None:
    trainer = make(replace(SMALL, epochs=15, cutmix=0.0, precision="bfloat16"))
    steps(trainer)
    assert trainer.history[-1].top1 >= 0.95
    assert all(value.dtype == torch.float32 for value in trainer.averaged.parameters())
