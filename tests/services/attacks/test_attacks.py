"""Attacks as people ask for them: defaults, warnings, names, the job, storing, round trip."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.errors import BadRequest, Busy, NoClassifier, UnknownModel, UnknownPicture
from app.pictures.preprocess import Preprocess, fit
from app.services.attacks.attacks import Attacked, Attacks
from app.services.attacks.job import AttackMoment
from app.services.attacks.options import AttackRequest, checked, largest_l2, warnings
from app.services.engine.engine import LocalEngine
from app.services.networks.catalogue import Catalogue
from app.services.networks.class_names import find_class
from app.services.pictures.similarity import ssim
from app.services.pictures.store import Pictures
from app.services.runs.runs import Runs
from models.classes import Label
from tests.support.engines import CPU
from tests.support.networks import ENTRY
from tests.support.waiting import until

ROW = ENTRY.row
LABELS = (
    Label(0, "n1", "school bus", "school bus"),
    Label(1, "n2", "crane", "crane, lifting machine"),
    Label(2, "n3", "crane", "crane, wading bird"),
    Label(3, "n4", "tabby cat", "tabby, tabby cat"),
)


@pytest.fixture
def attacks(engine: LocalEngine, pictures: Pictures) -> Attacks:
    return Attacks(engine, Catalogue(CPU, 10**9), pictures)


async def done(attacks: Attacks, image: str, request: AttackRequest) -> Attacked:
    attack = await attacks.prepare("mini", image, request)
    *_, last = [item async for item in attacks.stream(attack, "somebody")]
    assert isinstance(last, Attacked)
    return last


def warned(**asked: float) -> str:
    request = AttackRequest("pgd", **asked)  # type: ignore[arg-type]
    return " ".join(warnings(request, checked(request, LABELS, 64)))


def test_the_defaults_of_pgd() -> None:
    options = checked(AttackRequest("pgd", 8), LABELS, 64)
    assert (options.steps, options.step_size, options.target, options.seed) == (10, 2, None, 0)
    assert checked(AttackRequest("fgsm", 8), LABELS, 64).step_size == 8
    assert checked(AttackRequest("pgd_l2"), LABELS, 64).epsilon == pytest.approx(166.3, abs=0.1)


def test_what_cannot_work_is_said_beforehand() -> None:
    assert warned(epsilon=8, steps=3, step_size=2) == (
        "3 steps of 2 come to 6 at most: they cannot reach epsilon 8."
    )
    assert warned(epsilon=8) == warned(epsilon=8, steps=4, step_size=2) == ""
    assert "nothing happens" in warned(epsilon=0)
    assert "less than one pixel value" in warned(epsilon=0.5)
    fgsm = AttackRequest("fgsm", 4, steps=3)
    assert warnings(fgsm, checked(fgsm, LABELS, 64)) == ["fgsm does not use steps."]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (AttackRequest("magic"), "There are: fgsm, pgd, pgd_l2"),
        (AttackRequest("pgd", 33), "from 0 to 32"),
        (AttackRequest("pgd", -1), "from 0 to 32"),
        (AttackRequest("pgd", float("nan")), "from 0 to 32"),
        (AttackRequest("pgd_l2", 3548), "from 0 to 3547"),
        (AttackRequest("few_pixel", 1.5), "whole"),
        (AttackRequest("pgd", steps=0), "1 to 200"),
        (AttackRequest("pgd", step_size=256), "from 0 to 255"),
        (AttackRequest("pgd", target=4), "indices 0 to 3"),
        (AttackRequest("pgd", target="skool bus"), "The nearest are: school bus"),
        (AttackRequest("pgd", true_label="zzz"), "no class called “zzz”"),
        (AttackRequest("pgd", step_size=-1), "from 0 to 255, not -1"),
        (AttackRequest("sticker", 0), "from 0.024 to 32 per cent of the area, not 0"),
    ],
)
def test_out_of_range_is_refused_with_the_range(request_: AttackRequest, words: str) -> None:
    with pytest.raises(BadRequest) as refused:
        checked(request_, LABELS, 64)
    assert words in refused.value.detail


def test_l2_ends_where_every_number_has_moved_by_32() -> None:
    everything = torch.full((3, 64, 64), 32.0)
    assert largest_l2(64) == pytest.approx(float(everything.norm()))


@pytest.mark.parametrize(
    ("wanted", "index"),
    [(2, 2), ("3", 3), ("School Bus", 0), ("n3", 2), ("tabby", 3), (" wading bird ", 2)],
)
def test_a_class_is_found_by_index_and_by_any_name(wanted: int | str, index: int) -> None:
    assert find_class(LABELS, wanted) == index


@pytest.mark.parametrize("wanted", ["9" * 5000, 10**50, -(10**50), "٣" * 10, "0" * 4301])
def test_a_number_that_is_far_too_large_is_no_class(wanted: int | str) -> None:
    with pytest.raises(BadRequest, match="indices 0 to 3, and this number is far too large"):
        find_class(LABELS, wanted)


def test_a_name_of_two_classes_asks_which() -> None:
    with pytest.raises(BadRequest) as refused:
        find_class(LABELS, "crane")
    assert "1 (crane, lifting machine); 2 (crane, wading bird)" in refused.value.detail
    with pytest.raises(BadRequest) as refused:
        find_class(LABELS, "cat")
    assert "The nearest are: tabby cat" in refused.value.detail


async def test_the_attacked_picture_uploaded_again_gives_the_same_prediction(
    attacks: Attacks, engine: LocalEngine, pictures: Pictures, tmp_path: Path
) -> None:
    for method in ("pgd", "deepfool"):
        made = await done(attacks, "cat", AttackRequest(method, 4))
        assert made.ended.flipped
        png = pictures.png(made.image)
        elsewhere = Pictures(tmp_path / f"elsewhere-{method}")
        again = elsewhere.add(png, "somebody else").id
        runs = Runs(engine, Catalogue(CPU, 10**9), elsewhere, 10**9)
        async with runs.listen("mini", again) as run:
            await run.finish()
            assert run.fitted.untouched
            assert run.fitted.pixels.equal(made.ended.pixels)
            first = run.predictions(1)[0]
        assert first.index == made.ended.after[0].index
        assert first.probability == pytest.approx(made.ended.after[0].probability, abs=1e-6)
    assert [one.id for one in pictures.recent("somebody")]


async def test_epsilon_holds_after_the_resize(attacks: Attacks, pictures: Pictures) -> None:
    made = await done(attacks, "cat", AttackRequest("pgd", 3))
    prep = Preprocess(ROW.resize, ROW.crop, ROW.mean, ROW.std)
    clean = fit(pictures.open("cat"), prep).pixels.int()
    stored = fit(pictures.open(made.image), prep).pixels.int()
    assert (stored - clean).abs().max() == 3 == made.ended.linf
    assert made.ended.l2 == pytest.approx(float((stored - clean).double().norm()))
    assert made.ssim == pytest.approx(ssim(clean.to(torch.uint8), stored.to(torch.uint8)))
    assert 0.9 < made.ssim < 1


async def test_the_trace_starts_clean_and_ends_with_the_answer(attacks: Attacks) -> None:
    made = await done(attacks, "cat", AttackRequest("pgd", 8, target=20))
    assert [moment.step for moment in made.trace] == list(range(11))
    assert made.trace[0].linf == 0 and made.trace[0].predictions == made.ended.before
    assert made.trace[-1].predictions == made.ended.after
    chances = [moment.target_probability or 0 for moment in made.trace]
    assert chances[-1] > 0.5 > chances[0]
    assert made.ended.reached_target and made.ended.fooled is None
    assert all(moment.pixels is None for moment in made.trace)


async def test_noise_of_the_same_size_stands_beside_it_and_does_not_flip(attacks: Attacks) -> None:
    made = await done(attacks, "cat", AttackRequest("pgd", 2))
    control = made.ended.control
    assert made.ended.flipped and not control.flipped
    assert control.kind == "sign" and control.linf == made.ended.linf == 2
    noisy = await done(attacks, "cat", AttackRequest("noise", 2))
    assert not noisy.ended.flipped
    assert any("not fooled" in note for note in noisy.notes)
    made = await done(attacks, "cat", AttackRequest("deepfool"))
    assert made.ended.control.l2 == pytest.approx(made.ended.l2, rel=0.01)


async def test_fooled_needs_the_true_label(attacks: Attacks) -> None:
    made = await done(attacks, "cat", AttackRequest("fgsm", 4, true_label="tabby cat"))
    assert made.ended.flipped and made.ended.fooled is True
    made = await done(attacks, "cat", AttackRequest("fgsm", 4, true_label=0))
    assert made.ended.flipped and made.ended.fooled is False
    assert any(note.startswith("Wrong from the start") for note in made.notes)
    made = await done(attacks, "cat", AttackRequest("fgsm", 0, true_label=19))
    assert made.ended.fooled is False and made.ended.linf == 0 and made.ssim == 1
    made = await done(attacks, "cat", AttackRequest("pgd", 1, steps=1, target=19))
    assert any("saw already" in note for note in made.notes) and not made.ended.flipped


async def test_a_noise_and_a_sticker_that_ship_are_used_and_said(attacks: Attacks) -> None:
    made = await done(attacks, "cat", AttackRequest("universal", 8, steps=4))
    assert any(note.startswith("One noise for all pictures: it ships") for note in made.notes)
    assert [moment.linf for moment in made.trace] == [0, 2, 4, 6, 8]
    assert not any("this one picture" in note for note in made.notes)
    made = await done(attacks, "cat", AttackRequest("sticker", 15, steps=5, target="school bus"))
    assert any("sticker ships with Layerscope" in note for note in made.notes)
    assert made.trace[-1].step == 5 and made.ended.control.kind == "sticker"


async def test_universal_and_sticker_say_that_they_are_for_one_picture(attacks: Attacks) -> None:
    # No noise that ships leads to a class, and no sticker is there for every class.
    made = await done(attacks, "cat", AttackRequest("universal", 8, steps=3, target=20))
    assert any("this one picture" in note for note in made.notes)
    assert made.ended.linf <= 8
    made = await done(attacks, "cat", AttackRequest("sticker", 15, steps=3))
    assert any("for a moment" in note for note in made.notes)
    assert made.ended.control.kind == "sticker" and made.trace[-1].step == 3


async def test_drift_is_told_for_every_step(attacks: Attacks) -> None:
    made = await done(attacks, "cat", AttackRequest("pgd", 4))
    names = [step.name for step in made.attack.network.steps]
    assert [one.step for one in made.ended.drift] == names
    fc7 = made.ended.drift[names.index("fc7")]
    assert fc7.relative_l2 > 2 * fc7.noise_relative_l2


async def test_what_is_unknown_is_refused_before_anything_runs(attacks: Attacks) -> None:
    with pytest.raises(UnknownModel):
        await attacks.prepare("resnet", "cat", AttackRequest("pgd"))
    with pytest.raises(UnknownPicture):
        await attacks.prepare("mini", "dog", AttackRequest("pgd"))


async def test_a_partial_network_has_nothing_to_fool(
    attacks: Attacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Catalogue(CPU, 1).model("mini")
    partial = replace(model, outline=model.outline.upto("pool5"), labels=())
    monkeypatch.setattr(Catalogue, "model", lambda self, id: partial)
    with pytest.raises(NoClassifier, match="ends at pool5"):
        await attacks.prepare("mini", "cat", AttackRequest("pgd"))


async def test_one_attack_a_person_and_leaving_stops_it(
    attacks: Attacks, engine: LocalEngine
) -> None:
    attack = await attacks.prepare("mini", "cat", AttackRequest("pgd", 4, steps=200))
    async with aclosing(attacks.stream(attack, "a")) as mine:
        seen = [item async for item, _ in _first(mine, 3)]
        assert isinstance(seen[-1], AttackMoment)
        with pytest.raises(Busy):
            await anext(attacks.stream(attack, "a"))
        assert await anext(attacks.stream(attack, "b")) == 1
    await until(lambda: engine.idle)
    assert isinstance(await anext(attacks.stream(attack, "a")), int)


async def _first(items: object, count: int):  # type: ignore[no-untyped-def]
    for number in range(count):
        yield await anext(items), number  # type: ignore[call-overload]


async def test_a_time_limit_ends_it_with_what_there_is(
    attacks: Attacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.attacks.job.SECONDS_OTHERWISE", 0.0)
    made = await done(attacks, "cat", AttackRequest("pgd", 4))
    assert len(made.trace) == 1
    assert any(note.startswith("Stopped after 0 seconds") for note in made.notes)
