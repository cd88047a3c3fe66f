"""The iterations in floats beside foolbox's, on the same network and pictures."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from foolbox.attacks.deepfool import L2DeepFoolAttack
from foolbox.attacks.fast_gradient_method import LinfFastGradientAttack
from foolbox.attacks.projected_gradient_descent import (
    L2ProjectedGradientDescentAttack,
    LinfProjectedGradientDescentAttack,
)
from foolbox.criteria import Misclassification, TargetedMisclassification
from foolbox.models.pytorch import PyTorchModel
from torch import Tensor, nn

from app.vision.attacks.deepfool import deepfool_iterates
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pgd import pgd, pgd_iterates
from app.vision.attacks.pgd_l2 import pgd_l2_iterates
from models.graph import Network
from tests.support.attacked_networks import ROW, photos, reader
from tests.support.networks import embedded

IDS = ("coffee", "cat", "noise")
Criterion = Misclassification | TargetedMisclassification


@cache
def network() -> Network:
    """A copy for foolbox, which leaves gradients on the parameters."""
    return embedded().eval()


def theirs() -> PyTorchModel:
    prep = {"mean": list(ROW.mean), "std": list(ROW.std), "axis": -3}
    return PyTorchModel(network(), bounds=(0, 1), preprocessing=prep, device="cpu")


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    return photos(*IDS).float() / 255


@pytest.fixture(scope="module")
def labels(pictures: Tensor) -> Tensor:
    return reader(1.0).logits(pictures).argmax(1)


def bits(one: Tensor, other: Tensor) -> bool:
    return one.view(torch.int32).equal(other.view(torch.int32))


def linf_pgd(x: Tensor, criterion: Criterion, epsilon: float, step: float, steps: int) -> Tensor:
    attack = LinfProjectedGradientDescentAttack(abs_stepsize=step, steps=steps, random_start=False)
    found: Tensor = attack.run(theirs(), x, criterion, epsilon=epsilon)
    return found


@pytest.mark.parametrize(("epsilon", "step"), [(8, 2), (4, 1), (2, 0.5)])
def test_pgd_agrees_to_the_bit(
    pictures: Tensor, labels: Tensor, epsilon: float, step: float
) -> None:
    epsilon, step = epsilon / 255, step / 255
    criterion = Misclassification(labels)
    expected = linf_pgd(pictures, criterion, epsilon, step, 10)
    *_, last = pgd_iterates(reader(1.0), pictures, AttackGoal(labels), epsilon, step, 10)
    assert bits(last.x, expected)
    assert not last.x.equal(pictures)


def test_targeted_pgd_agrees_to_the_bit(pictures: Tensor) -> None:
    targets = torch.tensor([17, 20, 3])
    criterion = TargetedMisclassification(targets)
    expected = linf_pgd(pictures, criterion, 8 / 255, 2 / 255, 10)
    *_, last = pgd_iterates(reader(1.0), pictures, AttackGoal(targets, True), 8 / 255, 2 / 255, 10)
    assert bits(last.x, expected)


def test_fgsm_agrees_to_the_bit(pictures: Tensor, labels: Tensor) -> None:
    attack = LinfFastGradientAttack(random_start=False)
    criterion = Misclassification(labels)
    expected = attack.run(theirs(), pictures, criterion, epsilon=8 / 255)
    *_, last = pgd_iterates(reader(1.0), pictures, AttackGoal(labels), 8 / 255, 8 / 255, 1)
    assert bits(last.x, expected)


class Pixels(nn.Module):
    """The network as foolbox may ask it in 0..255."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.network(reader().normalised(x))
        return found


def test_what_is_shown_is_the_same_iteration_in_pixel_values(labels: Tensor) -> None:
    start = photos(*IDS)
    model = PyTorchModel(Pixels().eval(), bounds=(0, 255), device="cpu")
    attack = LinfProjectedGradientDescentAttack(abs_stepsize=2, steps=10, random_start=False)
    criterion = Misclassification(labels)
    expected = attack.run(model, start.float(), criterion, epsilon=8)
    *_, last = pgd(reader(), start, AttackGoal(labels), 8, 2, 10)
    assert last.pixels.float().equal(expected)


def test_l2_pgd_agrees(pictures: Tensor, labels: Tensor) -> None:
    attack = L2ProjectedGradientDescentAttack(abs_stepsize=0.125, steps=10, random_start=False)
    criterion = Misclassification(labels)
    expected = attack.run(theirs(), pictures, criterion, epsilon=0.5)
    *_, (_, x, _, _) = pgd_l2_iterates(reader(1.0), pictures, AttackGoal(labels), 0.5, 0.125, 10)
    torch.testing.assert_close(x, expected, rtol=0, atol=1e-4)
    norms = [(one - pictures).flatten(1).norm(dim=1) for one in (x, expected)]
    torch.testing.assert_close(*norms, rtol=1e-5, atol=0)
    assert norms[0].max() == pytest.approx(0.5, rel=1e-4)


def test_deepfool_agrees_in_norm(pictures: Tensor, labels: Tensor) -> None:
    attack = L2DeepFoolAttack(steps=50, candidates=10, overshoot=0.02)
    criterion = Misclassification(labels)
    expected = attack.run(theirs(), pictures, criterion)
    *_, (_, x, logits) = deepfool_iterates(reader(1.0), pictures, AttackGoal(labels))
    assert (logits.argmax(1) != labels).all()
    norms = [(one - pictures).flatten(1).norm(dim=1) for one in (x, expected)]
    torch.testing.assert_close(*norms, rtol=1e-3, atol=0)
