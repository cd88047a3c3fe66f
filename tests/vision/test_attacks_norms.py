"""L2 PGD, DeepFool, what rounding does to them, and noise: by hand and on photos."""

from __future__ import annotations

from math import sqrt

import pytest
import torch
from torch import nn

from app.vision.attacks.deepfool import deepfool, deepfool_iterates
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.noise import gaussian_noise, noise, pixel_noise, sign_noise
from app.vision.attacks.pgd_l2 import pgd_l2, pgd_l2_iterates
from app.vision.attacks.pixel_grid import l2, linf, on_grid, on_grid_within
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.repair import repair
from tests.support.attacked_networks import linear, photo, photos, pixel, reader, values

ROWS = [[1.0, 0.0, -1.0], [-1.0, 0.0, 1.0]]
ZERO = AttackGoal(torch.tensor([0]))


def test_an_l2_step_goes_along_the_gradient_not_its_sign() -> None:
    rows = [[-3.0, 0.0, 0.0], [0.0, 4.0, 0.0]]
    *_, last = pgd_l2(linear(rows), pixel(100, 100, 100), AttackGoal(torch.tensor([0])), 10, 10, 1)
    assert values(last) == [106, 108, 100]


def test_an_l2_ball_is_not_left_and_rounding_does_not_leave_it() -> None:
    *_, last = pgd_l2(linear(ROWS), pixel(100, 100, 100), ZERO, 10, 6, 10)
    # 10 / sqrt 2 = 7.07 each way.
    assert values(last) == [93, 100, 107]
    shown = on_grid_within(
        torch.tensor([[[[0.6]], [[0.6]], [[0.6]]]]), torch.zeros(1, 3, 1, 1), 1.1
    )
    assert shown.sum() == 0


def test_in_floats_too_the_l2_ball_is_not_left() -> None:
    start = pixel(100, 100, 100).float()
    norms = [
        float(l2(x, start)) for _, x, _, _ in pgd_l2_iterates(linear(ROWS), start, ZERO, 10, 6, 3)
    ]
    assert norms == pytest.approx([0, 6, 10, 10])


def test_black_and_white_in_the_l2_ball() -> None:
    *_, last = pgd_l2(linear(ROWS), pixel(2, 255, 255), ZERO, 50, 10, 10)
    assert values(last) == [0, 255, 255]


def test_deepfool_crosses_the_border_of_a_linear_network_at_once() -> None:
    # Logits differ by 2 (x1 - x3) / 255: the border is x1 = x3, 20 / sqrt 2 away.
    steps = list(deepfool_iterates(linear(ROWS), pixel(120, 7, 100).float(), ZERO))
    assert len(steps) == 2
    x = steps[-1][1].flatten()
    distance = 1.02 * (20 / sqrt(2) + 1e-4 * 255)
    assert float((x - torch.tensor([120.0, 7, 100])).norm()) == pytest.approx(distance, rel=1e-4)
    assert x[1] == 7


def test_deepfool_takes_the_nearest_of_the_borders() -> None:
    rows = [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]
    *_, last = deepfool(linear(rows), pixel(100, 90, 50), ZERO)
    assert last.logits.argmax() == 1
    assert values(last)[2] == 50


def test_deepfool_toward_a_target_reaches_it_though_another_is_nearer() -> None:
    rows = [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]
    *_, last = deepfool(
        linear(rows), pixel(100, 90, 50), AttackGoal(torch.tensor([2]), targeted=True)
    )
    assert last.logits.argmax() == 2


def test_what_rounding_undid_is_repaired_by_single_whole_steps() -> None:
    model, start = linear(ROWS), pixel(101, 0, 100).float()
    *_, (_, x, logits) = deepfool_iterates(model, start, ZERO)
    assert logits.argmax() == 1
    rounded = on_grid(x, start)
    # Half a value each way: rounding away from the start keeps it, rounding to the start does not.
    assert model.logits(rounded).argmax() == 1
    mended = list(repair(model, start, start, ZERO, torch.tensor([True]), 5))
    assert mended[-1].logits.argmax() == 1
    assert [step.number for step in mended] == list(range(6, 6 + len(mended)))
    assert all(step.repaired for step in mended)
    assert l2(mended[-1].pixels, start) <= 2


def test_a_repair_takes_the_steepest_first_and_keeps_the_norm() -> None:
    rows = [[4.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    model, start, all_of_it = linear(rows), pixel(1, 1, 9).float(), torch.tensor([True])
    *_, last = repair(model, start, start, ZERO, all_of_it, 0)
    assert values(last)[0] == 0
    held = list(repair(model, start, start, ZERO, all_of_it, 0, norm=0.5))
    assert held == []


def test_a_repair_changes_as_many_numbers_at_once_as_the_slope_says() -> None:
    layer = nn.Linear(192, 2)
    layer.weight.data = torch.stack([torch.ones(192), torch.zeros(192)])
    layer.bias.data = torch.tensor([-(192 * 100 - 30.5) / 255, 0])
    model = PixelModel(nn.Sequential(nn.Flatten(), layer), (0, 0, 0), (1, 1, 1))
    start = torch.full((1, 3, 8, 8), 100.0)
    (mended,) = repair(model, start, start, ZERO, torch.tensor([True]), 0)
    # 30.5 are missing, a tenth more is taken.
    assert (mended.pixels == 99).sum() == 34
    assert mended.logits.argmax() == 1


def test_repairs_leave_alone_what_is_not_wanted() -> None:
    start = torch.cat([pixel(101, 0, 100), pixel(101, 0, 100)]).float()
    goal = AttackGoal(torch.tensor([0, 0]))
    *_, last = repair(linear(ROWS), start, start, goal, torch.tensor([True, False]), 0)
    assert last.logits.argmax(1).tolist() == [1, 0]
    assert last.pixels[1].flatten().tolist() == [101, 0, 100]


def test_deepfool_survives_eight_bits_on_photos() -> None:
    model, start = reader(), photos("cat", "oranges", "sketch-cat")
    before = model.logits(start.float()).argmax(1)
    steps = list(deepfool(model, start, AttackGoal()))
    last = steps[-1]
    assert (last.logits.argmax(1) != before).all()
    assert last.pixels.dtype == torch.uint8
    again = model.logits(last.pixels.float())
    assert again.argmax(1).equal(last.logits.argmax(1))
    relative = l2(last.pixels, start) / l2(start, 0 * start)
    assert (relative < 0.05).all()


def test_pgd_l2_keeps_its_norm_on_photos_and_fools() -> None:
    model, start = reader(), photos("cat", "sketch-cat")
    before = model.logits(start.float()).argmax(1)
    for step in pgd_l2(model, start, AttackGoal(), 256, 64, 6):
        assert (l2(step.pixels, start) <= 256).all()
        torch.testing.assert_close(
            step.logits, model.logits(step.pixels.float()), rtol=0, atol=1e-4
        )
    assert (step.logits.argmax(1) != before).all()


def test_sign_noise_moves_every_value_and_is_cut_at_black_and_white() -> None:
    grey = torch.full((1, 3, 64, 64), 100, dtype=torch.uint8)
    change = sign_noise(grey, 3.9).int() - 100
    assert set(change.flatten().tolist()) == {-3, 3}
    assert abs(float(change.float().mean())) < 0.1
    assert set(sign_noise(torch.zeros_like(grey), 3).flatten().tolist()) == {0, 3}
    assert sign_noise(grey, 3, 1).equal(sign_noise(grey, 3, 1))
    assert not sign_noise(grey, 3, 1).equal(sign_noise(grey, 3, 2))


@pytest.mark.parametrize("norm", [0.0, 40.0, 300.0, 5000.0])
def test_gaussian_noise_has_the_norm_in_whole_numbers(norm: float) -> None:
    start = torch.cat([photo("cat"), torch.zeros(1, 3, 64, 64, dtype=torch.uint8)])
    found = l2(gaussian_noise(start, norm), start)
    assert (found <= norm).all()
    torch.testing.assert_close(found, torch.full_like(found, norm), rtol=0.01, atol=0.5)


def test_pixel_noise_paints_as_many_pixels() -> None:
    found = pixel_noise(photo("cat"), 7)
    changed = (found != photo("cat")).any(1)
    assert changed.sum() <= 7
    assert set(found[0][:, changed[0]].flatten().tolist()) <= {0, 255}


def test_noise_does_not_flip_what_the_attack_does() -> None:
    model, cat = reader(), photo("cat")
    first, last = noise(model, cat, 4)
    assert first.logits.argmax() == last.logits.argmax() == 19
    assert linf(last.pixels, cat) == 4
