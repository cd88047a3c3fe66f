"""Few pixels, one noise for many pictures, stickers, and how a change grows."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from app.vision.attacks import few_pixel as search
from app.vision.attacks.drift import cosine, drift
from app.vision.attacks.few_pixel import few_pixel
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.noise import sign_noise
from app.vision.attacks.paste import Placement, diameter, paste, pasted, random_placements
from app.vision.attacks.pgd import pgd
from app.vision.attacks.pixel_grid import linf
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.rates import METHODS, rate
from app.vision.attacks.sticker import random_sticker, sticker_for_picture, train_sticker
from app.vision.attacks.universal import universal, universal_for_picture, with_noise
from app.vision.forward import forward_steps
from tests.support.attacked_networks import linear, mini, photo, photos, pixel, reader

ROWS = [[1.0, 0.0, -1.0], [-1.0, 0.0, 1.0]]


def test_few_pixels_changes_no_more_than_it_may_and_never_gets_worse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "BY_SLOPE", 12)
    monkeypatch.setattr(search, "AT_RANDOM", 4)
    model, cat, goal = reader(), photo("sketch-cat"), AttackGoal()
    steps = list(few_pixel(model, cat, goal, 1, seed=3))
    goal = goal.settled(steps[0].logits)
    margins = [float(goal.margin(step.logits)) for step in steps]
    assert margins == sorted(margins)
    assert margins[-1] > margins[0]
    for step in steps:
        assert (step.pixels != cat).any(1).sum() <= 1
        torch.testing.assert_close(step.logits, model.logits(step.pixels.float()))
    again = list(few_pixel(model, cat, AttackGoal(), 1, seed=3))
    assert again[-1].pixels.equal(steps[-1].pixels)


def test_the_pixel_that_decides_is_found() -> None:
    *_, last = few_pixel(linear(ROWS), pixel(200, 9, 10), AttackGoal(), 1)
    assert last.pixels.flatten().tolist() == [0, 0, 255]
    with pytest.raises(ValueError, match="one picture"):
        next(few_pixel(linear(ROWS), torch.cat([pixel(1, 2, 3)] * 2), AttackGoal(), 1))


def test_one_noise_works_for_all_pictures_by_hand() -> None:
    pictures = torch.cat([pixel(110, 0, 100), pixel(120, 50, 112), pixel(106, 250, 100)])
    *_, last = universal(linear(ROWS), pictures, 8.5, passes=10)
    assert last.noise.flatten().tolist() == [-8, 0, 8]
    fooled = linear(ROWS).logits(with_noise(pictures, last.noise).float()).argmax(1)
    assert fooled.tolist() == [1, 1, 1]
    assert last.reached == 1.0


def test_a_universal_noise_is_cut_at_black_and_white() -> None:
    noise = torch.tensor([-8, 0, 8], dtype=torch.int16).view(3, 1, 1)
    assert with_noise(pixel(3, 0, 250), noise).flatten().tolist() == [0, 0, 255]


def test_a_universal_noise_fools_photos_and_repeats_with_its_seed() -> None:
    model = reader()
    start = photos("cat", "rocket", "oranges", "sketch-cat")
    *_, last = universal(model, start, 10, passes=6, batch=2, seed=5)
    assert last.noise.abs().max() <= 10
    before = model.logits(start.float()).argmax(1)
    after = model.logits(with_noise(start, last.noise).float()).argmax(1)
    assert (before != after).sum() >= 3
    *_, again = universal(model, start, 10, passes=6, batch=2, seed=5)
    *_, other = universal(model, start, 10, passes=6, batch=2, seed=6)
    assert again.noise.equal(last.noise)
    assert not other.noise.equal(last.noise)


def test_a_noise_for_one_picture_stays_within_epsilon() -> None:
    for step in universal_for_picture(reader(), photo("cat"), AttackGoal(), 4, 6):
        assert linf(step.pixels, photo("cat")) <= 4
    assert step.number == 6
    assert step.logits.argmax() != 19


def test_a_sticker_covers_a_circle_where_it_is_put() -> None:
    grey = torch.full((1, 3, 40, 40), 100, dtype=torch.uint8)
    white = torch.full((3, 10, 10), 255, dtype=torch.uint8)
    found = pasted(grey, white, Placement.at(30, 12, 0.5))
    covered = found[0, 0] == 255
    assert found[0, 0, 12, 30] == 255 and found[0, 0, 3, 21] == 100
    rows, columns = covered.nonzero().T
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (
        3,
        20,
        21,
        38,
    )
    share = float((found[0, 0].float() - 100).sum() / 155) / 1600
    # The last pixel of the radius fades out: pi (r^2 - r + 1/3).
    assert share == pytest.approx(3.14159 * (100 - 10 + 1 / 3) / 1600, rel=0.01)
    touched = float((found[0, 0] != 100).float().mean())
    assert touched == pytest.approx(3.14159 * 10**2 / 1600, rel=0.01)
    assert diameter(3.14159 * 10**2 / 1600) == pytest.approx(0.5)


def test_a_sticker_turns_clockwise_and_fits_its_own_grid() -> None:
    sticker = torch.zeros(3, 8, 8)
    sticker[:, :, 4:] = 200
    ground = torch.full((1, 3, 8, 8), 50.0)
    upright = paste(ground, sticker, Placement.at(4, 4, 1))[0, 0]
    assert upright[4, 2] == 0 and upright[4, 5] == 200
    turned = paste(ground, sticker, Placement.at(4, 4, 1, 90))[0, 0]
    # What was at the right is below now.
    assert turned[2, 4] == pytest.approx(0, abs=1e-3)
    assert turned[5, 4] == pytest.approx(200, abs=1e-3)
    assert upright[0, 0] == 50


def test_gradients_find_their_way_back_to_the_sticker() -> None:
    sticker = torch.zeros(3, 8, 8, requires_grad=True)
    mixed = paste(torch.zeros(2, 3, 16, 16), sticker, Placement(*torch.tensor(
        [[8.0, 6.0], [8.0, 7.0], [0.5, 0.4], [0.0, 30.0]])))  # fmt: skip
    (gradient,) = torch.autograd.grad(mixed.sum(), sticker)
    area = 3 * 3.14159 * (4**2 - 4 + 1 / 3 + 3.2**2 - 3.2 + 1 / 3)
    assert float(gradient.sum()) == pytest.approx(area, rel=0.03)


def test_stickers_drawn_at_random_lie_inside_the_picture() -> None:
    place = random_placements(500, 64, (0.2, 0.44), torch.Generator().manual_seed(0))
    radius = place.scale * 32
    for centre in (place.x, place.y):
        assert (centre - radius >= -1e-4).all() and (centre + radius <= 64.0001).all()
    assert place.scale.min() >= 0.2 and place.scale.max() <= 0.44
    assert place.angle.min() < -15 and place.angle.max() > 15


def test_a_sticker_learns_where_a_random_one_does_not() -> None:
    # Class 0 is the mean of red, class 1 that of blue: the best sticker is all blue, no red.
    layer = nn.Linear(3, 2, bias=False)
    layer.weight.data = torch.tensor([[20.0, 0.0, 0.0], [0.0, 0.0, 20.0]])
    colours = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), layer).eval()
    model = PixelModel(colours, (0, 0, 0), (1, 1, 1))
    reddish = torch.full((1, 3, 32, 32), 100, dtype=torch.uint8)
    reddish[:, 0] = 110
    goal = AttackGoal(torch.tensor([1]), targeted=True)
    first, *_, last = sticker_for_picture(model, reddish, goal, 0.15, 20)
    assert [int(one.logits.argmax()) for one in (first, last)] == [0, 1]
    assert (last.pixels != reddish).any(1).float().mean() < 0.155
    *_, made = train_sticker(model, reddish, goal, steps=20, batch=4)
    middle = made.sticker[:, 6:-6, 6:-6].float().mean((1, 2))
    assert middle[0] < 10 and middle[2] > 245 and 100 < middle[1] < 155
    assert made.reached == 1.0
    assert model.logits(random_sticker(reddish, 0.15).float()).argmax() == 0


def test_a_sticker_repeats_with_its_seed() -> None:
    goal = AttackGoal(torch.tensor([17]), targeted=True)
    made = [
        list(train_sticker(reader(), photo("cat"), goal, steps=2, batch=2, seed=seed))[-1].sticker
        for seed in (1, 1, 2)
    ]
    assert made[0].equal(made[1]) and not made[0].equal(made[2])


def test_drift_tells_how_far_each_step_is_apart() -> None:
    network, model, cat = mini(), reader(), photo("cat")
    *_, last = pgd(model, cat, AttackGoal(), 4, 1, 5)
    noisy = sign_noise(cat, 4)
    told = list(drift(network, model, cat[0], last.pixels[0], noisy[0]))
    assert [one.step for one in told] == [step.name for step in network.steps]
    outputs = [
        {
            o.step.name: o.tensor[0].double()
            for o in forward_steps(network, model.normalised(p.float()))
        }
        for p in (cat, last.pixels, noisy)
    ]
    for one in told:
        c, a, n = (output[one.step].flatten() for output in outputs)
        assert one.relative_l2 == pytest.approx(float((a - c).norm() / c.norm()), rel=1e-3)
        assert one.noise_relative_l2 == pytest.approx(float((n - c).norm() / c.norm()), rel=1e-3)
        assert one.cosine == pytest.approx(float(a @ c / a.norm() / c.norm()), abs=1e-4)
    by_name = {one.step: one for one in told}
    # Alike at the entrance, far apart at the end: that is the lesson.
    assert by_name["fc7"].relative_l2 > 3 * by_name["fc7"].noise_relative_l2
    assert by_name["conv1"].relative_l2 < by_name["fc7"].relative_l2


def test_the_cosine_of_nothing_is_told_without_dividing_by_zero() -> None:
    zero, one = torch.zeros(3), torch.ones(3)
    assert (cosine(zero, zero), cosine(zero, one)) == (1, 0)
    assert cosine(one, 2 * one) == pytest.approx(1)


def test_rates_count_what_flipped_batch_or_not() -> None:
    model = linear(ROWS)
    pixels = torch.cat([pixel(104, 0, 100), pixel(120, 0, 100), pixel(103, 0, 100)])
    labels = torch.zeros(3, dtype=torch.long)
    for batch in (1, 2, 32):
        found = rate(model, pixels, labels, "fgsm", 4, batch)
        assert found.flipped == pytest.approx(2 / 3)
        assert found.linf == 4
        assert found.l2 == pytest.approx(4 * 2**0.5)
    assert rate(model, pixels, labels, "few_pixel", 1).flipped == 1
    for method in METHODS:
        assert 0 <= rate(model, pixels, labels, method, 2).flipped <= 1
