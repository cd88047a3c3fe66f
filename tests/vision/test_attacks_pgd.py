"""FGSM, PGD and the wrapper they climb with: the numbers by hand, and every known trap."""

from __future__ import annotations

from math import exp

import pytest
import torch
from torch import nn

from app.vision.attacks.fgsm import fgsm
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pgd import pgd, pgd_iterates
from app.vision.attacks.pixel_grid import linf, on_grid
from app.vision.attacks.pixel_model import PixelModel
from tests.support.attacked_networks import ROW, linear, mini, photo, photos, pixel, reader, values
from tests.support.small_networks import untouched

# Class 1 gains on class 0 where the first number falls and the third rises.
ROWS = [[1.0, 0.0, -1.0], [-1.0, 0.0, 1.0]]
ZERO, ONE = AttackGoal(torch.tensor([0])), AttackGoal(torch.tensor([1]))


def test_one_step_goes_epsilon_along_the_sign() -> None:
    first, last = fgsm(linear(ROWS), pixel(100, 100, 100), ZERO, 8)
    assert values(first) == [100, 100, 100]
    assert values(last) == [92, 100, 108]
    assert last.logits[0].tolist() == pytest.approx([-16 / 255, 16 / 255])


def test_toward_a_target_the_sign_turns() -> None:
    toward_zero = AttackGoal(torch.tensor([0]), targeted=True)
    *_, last = fgsm(linear(ROWS), pixel(100, 100, 100), toward_zero, 8)
    assert values(last) == [108, 100, 92]
    toward_one = AttackGoal(torch.tensor([1]), targeted=True)
    *_, last = fgsm(linear(ROWS), pixel(100, 100, 100), toward_one, 8)
    assert values(last) == [92, 100, 108]


def test_without_a_label_it_is_away_from_what_is_predicted() -> None:
    *_, last = pgd(linear(ROWS), pixel(50, 0, 100), AttackGoal(), 60, 20, 5)
    # Predicted at first is class 1; once it is overturned the goal stays the same.
    assert values(last) == [110, 0, 40]


def test_black_and_white_stay_black_and_white() -> None:
    *_, last = pgd(linear(ROWS), pixel(0, 255, 255), ZERO, 8, 2, 10)
    assert values(last) == [0, 255, 255]
    *_, last = pgd(linear(ROWS), pixel(3, 255, 250), ZERO, 8, 2, 10)
    assert values(last) == [0, 255, 255]


def test_small_steps_add_up_though_each_is_less_than_a_pixel_value() -> None:
    steps = list(pgd(linear(ROWS), pixel(100, 100, 100), ZERO, 1, 0.25, 4))
    assert [values(step)[2] for step in steps] == [100, 100, 101, 101, 101]


def test_in_floats_too_it_stays_within_epsilon_and_black_and_white() -> None:
    steps = list(pgd_iterates(linear(ROWS), pixel(3, 100, 200).float(), ZERO, 8, 3, 5))
    assert [step.x.flatten().tolist() for step in steps[1:]] == [
        [0, 100, 203], [0, 100, 206], [0, 100, 208], [0, 100, 208], [0, 100, 208]
    ]  # fmt: skip


def test_a_broken_epsilon_is_rounded_down() -> None:
    *_, last = pgd(linear(ROWS), pixel(100, 100, 100), ZERO, 2.7, 1, 10)
    assert values(last) == [98, 100, 102]
    *_, last = fgsm(linear(ROWS), pixel(100, 100, 100), ZERO, 0.9)
    assert values(last) == [100, 100, 100]


def test_epsilon_is_in_pixel_values_whatever_the_normalisation() -> None:
    plain = linear(ROWS)
    model = PixelModel(plain.network, (0.4, 0.5, 0.6), (0.2, 0.3, 0.1))
    *_, last = fgsm(model, pixel(100, 100, 100), ZERO, 8)
    assert values(last) == [92, 100, 108]
    expected = (torch.tensor([92, 100, 108]) / 255 - torch.tensor([0.4, 0.5, 0.6])) / torch.tensor(
        [0.2, 0.3, 0.1]
    )
    torch.testing.assert_close(last.logits[0], torch.tensor(ROWS) @ expected)


def test_the_gradient_is_that_of_one_softmax_over_logits() -> None:
    slope = linear(ROWS).slope(pixel(102, 0, 51).float(), ZERO)
    logit = (102 - 51) / 255
    other = exp(-logit) / (exp(logit) + exp(-logit))
    expected = [other * -2 / 255, 0, other * 2 / 255]
    assert slope.gradient.flatten().tolist() == pytest.approx(expected)
    assert not slope.margin


def test_a_picture_has_the_same_gradient_in_any_batch() -> None:
    pictures = photos("coffee", "cat", "banana", "candle").float()
    labels = torch.tensor([97, 19, 95, 46])
    together = reader().slope(pictures, AttackGoal(labels)).gradient
    for i in range(4):
        alone = reader().slope(pictures[i : i + 1], AttackGoal(labels[i : i + 1])).gradient[0]
        torch.testing.assert_close(together[i], alone, rtol=1e-3, atol=1e-3 * float(alone.max()))


def test_saturated_logits_have_no_slope_and_the_margin_takes_over() -> None:
    model = linear(ROWS, scale=1000)
    start = pixel(200, 100, 100)
    assert not model.slope(start.float(), ZERO).gradient.eq(0).all()
    steps = list(pgd(model, start, ZERO, 8, 2, 4))
    assert all(step.margin for step in steps[:-1])
    assert values(steps[-1]) == [192, 100, 108]
    assert not any(step.margin for step in pgd(linear(ROWS), start, ZERO, 8, 2, 4))


def test_only_the_saturated_picture_of_a_batch_climbs_its_margin() -> None:
    model = linear(ROWS, scale=200)
    both = torch.cat([pixel(128, 100, 128), pixel(255, 100, 0)]).float()
    slope = model.slope(both, AttackGoal(torch.tensor([0, 0])))
    assert slope.margin
    # Half of the probability lies with class 1 in the middle; the margin's slope has all of it.
    assert slope.gradient[0, 2].item() == pytest.approx(200 / 255)
    assert slope.gradient[1, 2].item() == pytest.approx(400 / 255)


class Watched(nn.Module):
    """Remembers in which mode it was run."""

    def __init__(self) -> None:
        super().__init__()
        self.modes: set[bool] = set()
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.modes.add(self.training)
        found: torch.Tensor = self.drop(x)
        return found


def test_it_is_computed_in_evaluation_mode_and_each_module_gets_its_own_back() -> None:
    plain = linear(ROWS)
    watched = Watched()
    network = nn.Sequential(*plain.network.children(), watched)
    network.train()
    network[1].eval()
    modes = [module.training for module in network.modules()]
    model = PixelModel(network, (0, 0, 0), (1, 1, 1))
    steps = pgd(model, pixel(100, 100, 100), ZERO, 8, 2, 4)
    for step in steps:
        # Nothing is held across a yield either.
        assert [module.training for module in network.modules()] == modes
        torch.testing.assert_close(step.logits, plain.logits(step.pixels.float()))
    assert watched.modes == {False}


def test_the_network_gets_its_mode_back_when_it_fails() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(7, 2))
    with pytest.raises(RuntimeError):
        PixelModel(network, (0, 0, 0), (1, 1, 1)).logits(pixel(1, 2, 3).float())
    assert network.training


@pytest.mark.parametrize("learning", [True, False])
def test_the_network_is_left_as_found(learning: bool) -> None:
    network = mini()
    network.requires_grad_(learning)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for _ in range(2):
        list(pgd(reader(), photo("cat"), AttackGoal(), 4, 1, 2))
    for parameter in network.parameters():
        assert parameter.grad is None
        assert parameter.requires_grad is learning
    assert untouched(network)
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())


def test_it_works_whatever_mode_the_caller_is_in() -> None:
    *_, expected = pgd(reader(), photo("cat"), AttackGoal(), 4, 1, 3)
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode:
            *_, found = pgd(reader(), photo("cat").clone(), AttackGoal(), 4, 1, 3)
        assert found.pixels.equal(expected.pixels)
    steps = pgd(reader(), photo("cat"), AttackGoal(), 4, 1, 3)
    next(steps)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("epsilon", [1, 2, 4, 8])
def test_every_step_is_eight_bit_within_epsilon_and_honestly_predicted(epsilon: int) -> None:
    model, start = reader(), photos("cat", "rocket")
    for step in pgd(model, start, AttackGoal(), epsilon, epsilon / 4, 10):
        assert step.pixels.dtype == torch.uint8
        assert linf(step.pixels, start).max() <= epsilon
        torch.testing.assert_close(
            step.logits, model.logits(step.pixels.float()), rtol=0, atol=1e-4
        )
    assert linf(step.pixels, start).tolist() == [epsilon, epsilon]


def test_a_photo_is_fooled_and_led_to_a_target() -> None:
    model, cat = reader(), photo("cat")
    first, *_, last = pgd(model, cat, AttackGoal(), 4, 1, 10)
    assert first.logits.argmax() == 19 != last.logits.argmax()
    goal = AttackGoal(torch.tensor([20]), targeted=True)
    steps = list(pgd(model, cat, goal, 8, 2, 10))
    assert steps[-1].logits.argmax() == 20
    assert goal.reached(steps[-1].logits).all() and not goal.reached(steps[0].logits).any()


def test_pictures_already_normalised_in_0_to_1_move_alike() -> None:
    start = photo("cat")
    *_, small = pgd_iterates(reader(1.0), start.float() / 255, AttackGoal(), 4 / 255, 1 / 255, 1)
    *_, large = pgd_iterates(reader(), start.float(), AttackGoal(), 4, 1, 1)
    assert on_grid(small.x * 255, start.float()).equal(large.x)
    assert len(ROW.mean) == 3
