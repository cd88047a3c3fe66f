"""What the panels of an attack say in words, for curves that are rare."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from app.services.attacks.sweeps import Sweep
from app.services.networks.catalogue import Catalogue
from app.services.runs.pairs import PicturePair
from app.vision.attacks.drift import DriftStep
from app.vision.attacks.sweep import SEEDS, SweepAnswer, SweepPoint
from app.web.attack.charting import relative_percent, ticks, times
from app.web.attack.sweep_curves import attack_words, noise_words, swept
from app.web.attack.where.drift import charts, sentence
from models import registry

BLANK = torch.zeros(3, 64, 64, dtype=torch.uint8)


def step(name: str, attack: float, noise: float, cosine: float = 1.0) -> DriftStep:
    return DriftStep(name, attack, cosine, noise, 1.0)


def asked(target: int | None = None) -> Sweep:
    model = Catalogue(torch.device("cpu"), 1).model("mini")
    network = registry.empty("mini")
    return Sweep(PicturePair(model, network, "cat", "cat", BLANK, BLANK, target, 0), "pgd")


def point(epsilon: int, label: int = 19, shaken: int = 0) -> SweepPoint:
    noise = tuple(SweepAnswer(3 if i < shaken else 19, 0.5, None) for i in range(SEEDS))
    return SweepPoint(epsilon, SweepAnswer(label, 0.5, 0.1), noise)


def test_an_attack_that_grows_is_told_with_its_widest_step() -> None:
    told = sentence([step("conv1", 0.06, 0.06), step("fc6", 0.9, 0.05), step("softmax", 1, 0.001)])
    assert told == (
        "At conv1 the attack changes as much as the noise, 6.0\u00a0% of the response; "
        "at fc6 18 times as much: 90\u00a0% against 5.0\u00a0%."
    )


def test_a_change_that_does_not_grow_is_told_so() -> None:
    told = sentence([step("conv1", 0.2, 0.1), step("fc6", 0.1, 0.1), step("softmax", 0, 0)])
    assert told.startswith("At conv1 the attack changes 2.0 times as much as the noise")
    assert "no later step" in told


def test_where_the_noise_did_nothing_there_is_nothing_to_compare() -> None:
    assert "nothing to compare" in sentence([step("conv1", 0.2, 0.0), step("softmax", 0, 0)])


@pytest.mark.parametrize(("most", "top"), [(0.0, 0.1), (0.34, 0.4), (1.41, 1.5), (7.3, 8.0)])
def test_the_axis_ends_just_above_what_it_shows(most: float, top: float) -> None:
    found = ticks(most)
    assert found[0] == (0, "0 %") and found[-1][0] == pytest.approx(top)
    assert len(found) <= 6


def test_values_are_told_short() -> None:
    assert [relative_percent(v) for v in (0.0623, 0.0994, 0.0996, 1.384)] == [
        "6.2\u00a0%", "9.9\u00a0%", "10\u00a0%", "138\u00a0%"
    ]  # fmt: skip
    assert [times(v) for v in (1.04, 9.94, 9.96, 18.4)] == ["1.0", "9.9", "10", "18"]


def test_a_cosine_below_zero_has_its_place() -> None:
    _, angles = charts([step("conv1", 1, 1, 0.5), step("softmax", 2, 1, -0.4)])
    assert angles.y[0][0] == -1 and angles.y[-1][0] == 1
    _, angles = charts([step("conv1", 1, 1, 0.5), step("softmax", 2, 1, 0.0)])
    assert angles.y[0][0] == 0


def test_an_attack_that_holds_again_is_not_told_as_if_it_fell_for_good() -> None:
    found = [point(0), point(4, 3), point(6), point(8, 3)]
    told = attack_words(asked(), found, True)
    assert " at epsilon 4." in told and "At 6 it does not" in told


def test_an_attack_and_a_noise_that_hold_are_told_so() -> None:
    found = [point(0), point(32)]
    assert attack_words(asked(), found, True) == "Under PGD the answer stays “tabby cat” up to 32."
    assert attack_words(asked(), found, False).endswith("up to 32 so far.")
    assert noise_words(found, True) == "Random noise never changes the answer, up to 32."
    some = [point(0), point(24, shaken=0), point(32, shaken=3)]
    assert noise_words(some, True) == (
        f"Random noise first changes the answer at 32, in 3 of {SEEDS} tries."
    )


def test_a_target_that_is_missed_late_or_there_already_is_told_so() -> None:
    missed = [point(0), point(2, 3), point(4, 3)]
    assert attack_words(asked(5), missed, True) == (
        "PGD does not get to “" + asked().pair.model.labels[5].label + "” up to 4; the answer "
        "changes at 2."
    )
    late = [point(0), point(2, 3), point(4, 5), point(6, 3)]
    told = attack_words(asked(5), late, True)
    assert "at epsilon 4; the answer changes at 2." in told and "At 6 it does not" in told
    assert "already sees" in attack_words(asked(19), [point(0)], True)


def test_marks_come_with_the_end_and_stand_at_their_epsilon() -> None:
    found = [point(0), point(1, 3), point(4, 3, shaken=1)]
    assert swept(asked(), found, "", False).chart.chart.marks == ()
    attack, noise = swept(asked(), found, "", True).chart.chart.marks
    assert (attack.x, attack.words, noise.x, noise.words) == (
        1.0, "changes at 1", 2.0, "noise first at 4"
    )  # fmt: skip


def test_points_that_come_out_of_order_are_drawn_from_left_to_right() -> None:
    found = [point(4), point(0), point(3), point(1)]
    view = swept(asked(), found, "", False)
    assert [row.epsilon for row in view.rows] == [0, 1, 3, 4]
    places = [x for x, _ in view.chart.chart.series[0].points]
    assert places == sorted(places)
    low = replace(point(4), noise=(SweepAnswer(19, 0.2, None), SweepAnswer(19, 0.6, None)))
    [series] = [
        s for s in swept(asked(), [point(0), low], "", False).chart.chart.series if s.spread
    ]
    assert series.points[1][1] == pytest.approx(0.4) and series.spread[1][1:] == (0.2, 0.6)
