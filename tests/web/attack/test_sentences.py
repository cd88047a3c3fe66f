"""What the panels of an attack say in words, for curves that are rare."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from app.services.attacks.job import AttackControl
from app.services.attacks.sweeps import Sweep
from app.services.attacks.unusual import SCORES, JudgedPicture, ScoreReading
from app.services.networks.catalogue import Catalogue
from app.services.runs.pairs import PicturePair
from app.vision.attacks.drift import DriftStep
from app.vision.attacks.sweep import SEEDS, SweepAnswer, SweepPoint
from app.vision.predict import RankedClass
from app.vision.unusual import RARE, ScorePlace, place, thresholds
from app.web.attack.charting import ticks, times
from app.web.attack.summary import control_words
from app.web.attack.sweep_curves import attack_words, noise_words, swept
from app.web.attack.unusual_panel import lesson
from app.web.attack.unusual_panel import sentence as sentence_of
from app.web.attack.where.drift import charts, rows, sentence
from app.web.core.templating import percent, relative_percent
from app.web.parts.unusual_words import beaten_percent, p_text
from models import registry
from models.classes import Label

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
        "At conv1 the attack changes about as much as the noise, 6.0\u00a0% of the response; "
        "at fc6 18 times as much: 90\u00a0% against 5.0\u00a0% by the noise."
    )


def test_a_change_that_does_not_grow_is_told_so() -> None:
    told = sentence([step("conv1", 0.2, 0.1), step("fc6", 0.1, 0.1), step("softmax", 0, 0)])
    assert told.startswith("At conv1 the attack changes 2.0 times as much as the noise")
    assert "no later step" in told


def test_where_the_noise_did_nothing_there_is_nothing_to_compare() -> None:
    assert "nothing to compare" in sentence([step("conv1", 0.2, 0.0), step("softmax", 0, 0)])


def test_of_a_noise_that_changed_nearly_nothing_no_ratio_is_made() -> None:
    still = step("fc6", 0.098, 0.0002)
    told = sentence([step("conv1", 0.06, 0.06), still, step("softmax", 1, 0.001)])
    assert told.endswith("; fc6 is changed by 9.8\u00a0% against <\u00a00.1\u00a0% by the noise.")
    assert "490" not in told and "times" not in told
    assert rows([still])[0].times == "" and rows([step("fc6", 0.098, 0.01)])[0].times == "9.8"
    first = sentence([still, step("fc7", 0.2, 0.1), step("softmax", 1, 0.001)])
    assert first.startswith("fc6 is changed by 9.8\u00a0% against <\u00a00.1\u00a0% by the noise")


@pytest.mark.parametrize(("most", "top"), [(0.0, 0.1), (0.34, 0.4), (1.41, 1.5), (7.3, 8.0)])
def test_the_axis_ends_just_above_what_it_shows(most: float, top: float) -> None:
    found = ticks(most)
    assert found[0] == (0, "0 %") and found[-1][0] == pytest.approx(top)
    assert len(found) <= 6


def test_values_are_told_short() -> None:
    assert relative_percent(0.0004) == "<\u00a00.1\u00a0%" and relative_percent(0) == "0.0\u00a0%"
    assert relative_percent(3e11) == ">\u00a01000\u00a0%" and percent(1.38) == "138.0\u00a0%"
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
    assert noise_words(found, True) == (
        f"Random noise changed the answer at no epsilon tried, up to 32, in {SEEDS} tries each."
    )
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


def test_the_control_is_told_beside_what_the_attack_did() -> None:
    trace = SimpleNamespace(labels=[Label(0, "n0", "cat", "cat"), Label(1, "n1", "dog", "dog")])

    def told(flipped: bool, fooled: bool) -> str:
        ranked = (RankedClass(int(flipped), 1.0, 0.5),)
        control = AttackControl("sign", BLANK, ranked, flipped, 4.0, 1.0)
        return control_words(trace, control, fooled)  # type: ignore[arg-type]

    assert "changes the answer, too, to “dog”" in told(True, True)
    assert "changes the answer, which the attack does not, to “dog”" in told(True, False)
    assert "the direction matters, not only the amount" in told(False, True)
    assert "does not change the answer either: still “cat”" in told(False, False)


CALIBRATED = torch.arange(1000.0)


def reading(value: float, which: int = 0) -> ScoreReading:
    return ScoreReading(SCORES[which], value, place(value, CALIBRATED))


def judged(label: int, *readings: ScoreReading) -> JudgedPicture:
    return JudgedPicture(readings, RankedClass(label, 0.9, 1.0))


def test_a_picture_just_below_the_threshold_is_not_said_to_pass_it() -> None:
    near = judged(1, reading(946.5))
    assert near.readings[0].p_value == pytest.approx(54 / 1001)
    assert sentence_of([near]) == (
        "This picture is more unusual than 94\u00a0% of 1\u202f000 reference photos "
        "(p = 0.054, above 0.05): nothing unusual in style."
    )
    past = judged(1, reading(950.5))
    assert "(p = 0.050, not above 0.05): unusual in style." in sentence_of([past])
    # 51 / 1001 is 0.05095; and of more photos a p just above is not rounded down to 0.050.
    assert "(p = 0.051, above 0.05)" in sentence_of([judged(1, reading(949.5))])
    assert [p_text(p) for p in (0.0501, 0.05, 0.0499, 0.0994, 0.5)] == [
        "0.051", "0.050", "0.050", "0.099", "0.50"
    ]  # fmt: skip


def test_a_share_of_photos_is_rounded_down_and_never_to_all_or_none() -> None:
    def told(below: int, above: int) -> str:
        found = ScorePlace(below, 0, above)
        return beaten_percent(ScoreReading(SCORES[0], 0.0, found)).replace("\u00a0", " ")

    assert [told(*one) for one in ((949, 51), (950, 50), (999, 1), (1000, 0), (0, 1000))] == [
        "94 %", "95 %", "99.9 %", "100 %", "0 %"
    ]  # fmt: skip
    assert [told(29, 71), told(9999, 1), told(1, 9999), told(4, 996)] == [
        "29 %", "99.9 %", "< 0.1 %", "0.4 %"
    ]  # fmt: skip


@pytest.mark.parametrize("side", ["low", "high", "both"])
@pytest.mark.parametrize("count", [10, 19, 39, 190, 1000])
def test_the_threshold_is_where_p_values_become_rare(side: str, count: int) -> None:
    references = torch.arange(float(count))
    found = thresholds(references, side)
    for value in (i / 2 for i in range(-2, 2 * count + 2)):
        rare = place(value, references).p_value(side) <= RARE
        low = side != "high" and bool(found) and value < found[0]
        high = side != "low" and bool(found) and value > found[-1]
        assert rare == (low or high), value


def test_the_lesson_counts_every_score_and_the_clean_picture() -> None:
    normal, odd = reading(500), reading(999.5)
    quiet = reading(0.5, 1)  # A low largest logit is unusual.
    assert odd.rare and quiet.rare and not normal.rare
    clean = judged(1, normal, reading(500, 1))
    told = lesson([clean, judged(2, normal, reading(500, 1))])
    assert told.startswith("The attacked picture scores as normal by every score here")
    told = lesson([clean, judged(2, normal, quiet)])
    assert (
        "Of the other scores, 1 in number, 1 would call it unusual: “Strength of the answer”."
        in told
    )
    assert "by every score" not in told
    assert "does look unusual" in lesson([clean, judged(2, odd, quiet)])
    told = lesson([judged(1, odd, quiet), judged(2, odd, quiet)])
    assert told == "The attacked picture looks unusual to the network, but so does the clean one."
    assert "did not change" in lesson([clean, judged(1, odd, quiet)])
