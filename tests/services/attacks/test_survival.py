"""What becomes of an attack under way: verdicts by hand, predictions of exactly these pixels."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import torch

from app.pictures.preprocess import fit, normalise
from app.pictures.samples import sample
from app.pictures.transformations import TRANSFORMATIONS, apply_transformations
from app.services.attacks.survival import (
    SurvivalStart,
    fate,
    predict_transformed,
    transformed,
    trials,
)
from app.services.engine.engine import LocalEngine
from app.services.networks.catalogue import Catalogue
from app.services.runs.pairs import PicturePair
from app.services.runs.run import preprocess
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pgd import pgd
from app.vision.attacks.pixel_model import PixelModel
from app.vision.predict import RankedClass
from tests.support.networks import embedded

CPU = torch.device("cpu")


def ranked(index: int) -> RankedClass:
    return RankedClass(index, 1.0, 0.5)


@pytest.mark.parametrize(
    ("before", "after", "clean", "attacked", "expected"),
    [
        (1, 1, 1, 2, "none"),
        (1, 2, 3, 3, "broken"),
        (1, 2, 3, 1, "broken"),
        (1, 2, 1, 1, "undone"),
        (1, 2, 1, 2, "fooled"),
        (1, 2, 1, 4, "other"),
    ],
)
def test_what_became_of_it(
    before: int, after: int, clean: int, attacked: int, expected: str
) -> None:
    assert fate(SurvivalStart(ranked(before), ranked(after)), clean, attacked) == expected


@pytest.fixture(scope="module")
def pair() -> PicturePair:
    model, network, cat = Catalogue(CPU, 1).model("mini"), embedded(), sample("cat")
    assert cat
    pixels = fit(cat.open(), preprocess(model)).pixels
    asked = PixelModel(network, model.row.mean, model.row.std)
    *_, last = pgd(asked, pixels[None], AttackGoal(), 4.0, 1.0, 10)
    return PicturePair(model, network, "cat", "attacked", pixels, last.pixels[0], None, 5)


async def test_the_prediction_is_that_of_the_pixels_that_are_shown(
    pair: PicturePair, engine: LocalEngine
) -> None:
    chosen = {"blur": 0.6, "screen": 40.0, "jpeg": 60.0}
    clean, attacked = transformed(pair, chosen)
    assert clean.equal(apply_transformations(pair.clean, chosen, pair.seed))
    start, found = await predict_transformed(engine, pair, (clean, attacked))
    assert start.fooled
    with torch.inference_mode():
        for pixels, told in ((clean, found.before), (attacked, found.after)):
            logits = pair.network(normalise(pixels[None], preprocess(pair.model)))[0]
            assert told[0].index == int(logits.argmax())
            assert told[0].logit == pytest.approx(float(logits.max()), abs=1e-4)
    assert found.clean.equal(clean) and found.attacked.equal(attacked)


async def test_nothing_done_leaves_both_as_they_were(
    pair: PicturePair, engine: LocalEngine
) -> None:
    both = transformed(pair, {})
    assert both[0].equal(pair.clean) and both[1].equal(pair.attacked)
    start, found = await predict_transformed(engine, pair, both)
    assert found.before[0].index == start.clean.index
    assert found.after[0].index == start.attacked.index


async def test_both_pictures_meet_the_same_chance(pair: PicturePair) -> None:
    same = replace(pair, attacked=pair.clean)
    clean, attacked = transformed(same, {"screen": 80.0})
    assert clean.equal(attacked)


async def test_the_table_tries_each_thing_alone(pair: PicturePair, engine: LocalEngine) -> None:
    start, found = await trials(engine, "me", pair)
    assert [(one.stop.id, one.strength) for one in found] == [
        (stop.id, strength) for stop in TRANSFORMATIONS for strength in stop.tried
    ]
    assert {one.fate for one in found} > {"fooled"}
    one = next(t for t in found if t.stop.id == "jpeg" and t.strength == 50)
    _, alone = await predict_transformed(engine, pair, transformed(pair, {"jpeg": 50.0}))
    assert one.clean.index == alone.before[0].index
    assert one.attacked.probability == pytest.approx(alone.after[0].probability, abs=1e-4)
    assert one.fate == fate(start, one.clean.index, one.attacked.index)


async def test_charts_asked_for_twice_at_once_come_one_after_the_other(
    pair: PicturePair, engine: LocalEngine
) -> None:
    one, other = await asyncio.gather(*(trials(engine, "me", pair) for _ in range(2)))
    assert [t.fate for t in one[1]] == [t.fate for t in other[1]]
