"""Epsilon from nothing to much: points and flips by hand, and on the real network."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import pytest
import torch
from torch import Tensor, nn

from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.noise import sign_noise
from app.vision.attacks.pgd import pgd
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.sweep import (
    EPSILONS,
    SEEDS,
    SweepAnswer,
    SweepPass,
    SweepPoint,
    SweepSubject,
    attack_succeeded,
    noise_succeeded,
    prediction_changed,
    smallest_epsilon,
    sweep,
)
from tests.support.attacked_networks import linear, photo, pixel, reader

# Class 0 leads by 2 (first - third) / 255: an attack of epsilon takes 4 epsilon / 255 of it.
ROWS = [[1.0, 0.0, -1.0], [-1.0, 0.0, 1.0]]


def points(ask: SweepSubject, epsilons: tuple[int, ...] = EPSILONS) -> dict[int, SweepPoint]:
    found = [one for one in sweep(ask, epsilons) if isinstance(one, SweepPoint)]
    assert len({one.epsilon for one in found}) == len(found)
    return {one.epsilon: one for one in found}


@pytest.mark.parametrize("method", ["pgd", "fgsm"])
@pytest.mark.parametrize("batch", [1, 3, 100])
def test_the_flip_is_found_to_the_next_whole_epsilon(method: str, batch: int) -> None:
    # 128 - 108 = 20: at epsilon 10 both are 118 and class 0 still leads the tie; it falls at 11.
    ask = SweepSubject(linear(ROWS), pixel(128, 0, 108), method, batch=batch)  # type: ignore[arg-type]
    found = points(ask)
    assert smallest_epsilon(list(found.values()), prediction_changed(0)) == 11
    # 8 held and 12 fell: 9 to 11 were tried as well.
    assert set(EPSILONS) | {9, 10, 11} <= set(found)
    assert [found[e].attack.label for e in (8, 9, 10, 11, 12)] == [0, 0, 0, 1, 1]


def test_probabilities_are_those_of_the_attacked_pixels() -> None:
    found = points(SweepSubject(linear(ROWS), pixel(128, 0, 108), target=1), (0, 4))
    for epsilon, lead in ((0, 40), (4, 24)):
        share = 1 / (1 + exp(-lead / 255))
        answer = found[epsilon].attack
        assert answer.probability == pytest.approx(share, abs=1e-6)
        assert answer.target == pytest.approx(1 - share, abs=1e-6)


def test_toward_a_target_it_must_get_there() -> None:
    # Class 2 lies behind class 1: away from 0 leads to 1, on to 2 takes longer.
    model = linear([[1.0, 0.0, 0.0], [0.98, 0.0, 0.0], [0.0, 0.0, 1.0]])
    found = list(points(SweepSubject(model, pixel(100, 0, 88), target=2), tuple(range(9))).values())
    assert smallest_epsilon(found, attack_succeeded(0, 2)) == 7
    assert smallest_epsilon(found, attack_succeeded(0, None)) == smallest_epsilon(
        found, prediction_changed(0)
    )


def test_it_may_hold_again_at_a_larger_epsilon_and_all_of_it_is_told() -> None:
    def say(epsilon: int, label: int) -> SweepPoint:
        return SweepPoint(epsilon, SweepAnswer(label, 0.5, None), (SweepAnswer(0, 0.5, None),))

    found = [say(0, 0), say(4, 1), say(6, 0), say(8, 1)]
    assert smallest_epsilon(found, prediction_changed(0)) == 4
    assert smallest_epsilon(found, noise_succeeded(0)) is None


class Island(nn.Module):
    """Class 1 where the pixel is 90 to 95, class 0 elsewhere: it falls, and holds again."""

    def forward(self, x: Tensor) -> Tensor:
        value = x.flatten(1)[:, 0] * 255
        within = ((value > 89.5) & (value < 95.5)).float()
        # The slope leads downwards everywhere.
        return torch.stack([1 + value / 1000 - 3 * within, 0 * value], 1)


def test_what_holds_again_is_neither_hidden_nor_taken_for_monotone() -> None:
    model = PixelModel(Island().eval().requires_grad_(False), (0, 0, 0), (1, 1, 1))
    model.device = torch.device("cpu")
    found = points(SweepSubject(model, pixel(100, 0, 0), "fgsm"))
    labels = {epsilon: one.attack.label for epsilon, one in found.items()}
    assert [labels[e] for e in (4, 5, 6, 8, 12, 16)] == [0, 1, 1, 1, 0, 0]
    assert smallest_epsilon(list(found.values()), prediction_changed(0)) == 5


def test_the_noise_is_that_of_its_seeds_at_exactly_this_epsilon() -> None:
    model, start = linear(ROWS), pixel(128, 0, 108)
    found = points(SweepSubject(model, start, seed=5, batch=3), (0, 12))
    assert len(found[12].noise) == SEEDS
    for i, answer in enumerate(found[12].noise):
        noisy = sign_noise(start, 12, 5 + 1 + i)
        assert (noisy.int() - start.int()).abs().flatten()[[0, 2]].tolist() == [12, 12]
        shares = model.logits(noisy.float())[0].double().softmax(0)
        assert answer.probability == pytest.approx(float(shares[0]), abs=1e-6)
        assert answer.label == int(shares.argmax())
    assert {answer.label for answer in found[12].noise} == {0, 1}
    # Some fell at 12, so every whole epsilon from 1 on was tried for the noise too.
    swept = points(SweepSubject(model, start, seed=5))
    first = smallest_epsilon(list(swept.values()), noise_succeeded(0))
    assert first == 11
    assert {9, 10, 11} <= set(swept)


def test_at_epsilon_0_nothing_differs() -> None:
    [point] = points(SweepSubject(linear(ROWS), pixel(128, 0, 108)), (0,)).values()
    assert set(point.noise) == {point.attack}


def test_several_epsilons_together_are_each_the_attack_alone() -> None:
    model, start = linear(ROWS, 3.0), pixel(128, 40, 108)
    most = torch.tensor([1.0, 3.0, 8.0]).view(-1, 1, 1, 1)
    together = list(pgd(model, start.expand(3, -1, -1, -1), AttackGoal(), most, most / 4, 10))
    for i, epsilon in enumerate((1, 3, 8)):
        for one, all_ in zip(pgd(model, start, AttackGoal(), epsilon, epsilon / 4, 10), together):  # noqa: B905
            assert one.pixels[0].equal(all_.pixels[i])


def test_on_the_real_network_a_batch_of_epsilons_gives_what_each_alone_gives() -> None:
    ask = SweepSubject(reader(), photo("cat"), batch=4)
    found = points(ask, (0, 1, 2, 4))
    for epsilon in (1, 2, 4):
        *_, last = pgd(reader(), photo("cat"), AttackGoal(), epsilon, epsilon / 4, 10)
        share = last.logits.double().softmax(1)[0, 19]
        assert found[epsilon].attack.probability == pytest.approx(float(share), abs=1e-4)
        assert found[epsilon].attack.label == int(last.logits.argmax())
    assert smallest_epsilon(list(found.values()), prediction_changed(19)) == 2
    assert all(a.label == 19 for one in found.values() for a in one.noise)


def test_between_points_the_network_is_asked_a_little_at_a_time() -> None:
    ask = SweepSubject(linear(ROWS), pixel(128, 0, 108), batch=2)
    items = list(sweep(ask, (0, 1)))
    # PGD's eleven passes, then four of two noises for each of two points.
    assert [type(one) for one in items] == [SweepPass] * 11 + ([SweepPass] * 4 + [SweepPoint]) * 2
    assert len(list(sweep(replace(ask, method="fgsm"), (0, 1)))) == 2 + 2 * 5
