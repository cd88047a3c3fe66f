"""The noise beside an attack: which kind it is, and that it is as large."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from app.vision.attacks.control_noise import FROM_CONTROL, Noise, control_noise, noise_kind
from app.vision.attacks.deepfool import deepfool
from app.vision.attacks.drift import compared, cosine, drift
from app.vision.attacks.few_pixel import few_pixel
from app.vision.attacks.fgsm import fgsm
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.noise import sign_noise
from app.vision.attacks.pgd import pgd
from app.vision.attacks.pgd_l2 import pgd_l2
from app.vision.attacks.pixel_grid import AttackStep, l2, linf
from app.vision.forward import forward_steps
from tests.support.attacked_networks import mini, photo, reader

START = photo("cat")

ATTACKS: dict[str, tuple[Noise, Callable[[], Iterator[AttackStep]]]] = {
    "pgd of 1": ("sign", lambda: pgd(reader(), START, AttackGoal(), 1, 0.25, 4)),
    "pgd of 32": ("sign", lambda: pgd(reader(), START, AttackGoal(), 32, 8, 5)),
    "fgsm": ("sign", lambda: fgsm(reader(), START, AttackGoal(), 4)),
    "pgd_l2": ("gaussian", lambda: pgd_l2(reader(), START, AttackGoal(), 128, 32, 5)),
    "deepfool": ("gaussian", lambda: deepfool(reader(), START, AttackGoal(), steps=10)),
    "few pixels": ("pixels", lambda: few_pixel(reader(), START, AttackGoal(), 2)),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_the_change_alone_tells_which_noise_is_as_large(name: str) -> None:
    kind, attack = ATTACKS[name]
    *_, last = attack()
    assert noise_kind(START, last.pixels) == kind
    noisy = control_noise(kind, START, last.pixels, 3)
    assert not noisy.equal(last.pixels)
    if kind == "sign":
        assert linf(noisy, START) == linf(last.pixels, START)
        assert noisy.equal(sign_noise(START, float(linf(noisy, START)), 3 + FROM_CONTROL))
    elif kind == "gaussian":
        assert float(l2(noisy, START)) == pytest.approx(float(l2(last.pixels, START)), rel=0.01)
    else:
        counts = [int((one != START).any(1).sum()) for one in (noisy, last.pixels)]
        assert counts[0] == counts[1] <= 2


def test_where_nothing_changed_the_noise_is_nothing_too() -> None:
    kind = noise_kind(START, START)
    assert control_noise(kind, START, START, 0).equal(START)


def test_steps_set_against_each_other_re_add() -> None:
    clean, attacked, noisy = (torch.tensor(v) for v in ([3.0, 4.0], [3.0, -4.0], [6.0, 8.0]))
    found = compared("fc", clean, attacked, noisy)
    assert found.step == "fc"
    assert found.relative_l2 == pytest.approx(8 / 5)
    assert found.cosine == pytest.approx((9 - 16) / 25)
    assert (found.noise_relative_l2, found.noise_cosine) == pytest.approx((1.0, 1.0))


def test_the_drift_is_that_of_the_tensors_of_three_passes() -> None:
    *_, last = fgsm(reader(), START, AttackGoal(), 4)
    noisy = sign_noise(START, 4, 1)
    told = list(drift(mini(), reader(), START[0], last.pixels[0], noisy[0]))
    passes = [
        [one.tensor[0].clone() for one in forward_steps(mini(), reader().normalised(x.float()))]
        for x in (START, last.pixels, noisy)
    ]
    for one, c, a, n in zip(told, *passes, strict=True):
        apart = float((a - c).double().norm() / c.double().norm())
        assert one.relative_l2 == pytest.approx(apart, rel=1e-4)
        assert one.cosine == pytest.approx(cosine(c, a), abs=1e-5)
        noise = float((n - c).double().norm() / c.double().norm())
        assert one.noise_relative_l2 == pytest.approx(noise, rel=1e-4, abs=1e-6)
