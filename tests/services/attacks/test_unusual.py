"""Scores of pictures among those of photos: places, histograms, files that are not believed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.pictures.preprocess import fit, normalise
from app.pictures.samples import sample
from app.services.attacks.unusual import (
    BINS,
    SCORES,
    control,
    histogram,
    judged,
    read_run,
    scored_steps,
)
from app.services.engine.engine import LocalEngine
from app.services.networks.calibration import Calibration, calibration, own_path
from app.services.networks.catalogue import Catalogue
from app.services.networks.loading import weights_digest
from app.services.runs.pairs import PicturePair
from app.services.runs.run import preprocess
from app.services.runs.runs import Runs
from app.vision.unusual import energy, feature_norm, max_logit, profile_distance
from tests.support.networks import embedded

CPU = torch.device("cpu")
MODEL = Catalogue(CPU, 1).model("mini")


def pixels(id: str) -> torch.Tensor:
    made = sample(id)
    assert made
    return fit(made.open(), preprocess(MODEL)).pixels


def known() -> Calibration:
    found = calibration(MODEL)
    assert found
    return found


def test_a_histogram_adds_up_and_reaches_near_marks() -> None:
    references = torch.tensor([0.0, 1, 1, 4, 10])
    plain = histogram(references, [5.0])
    assert (plain.low, plain.high, len(plain.counts)) == (0, 10, BINS)
    assert sum(plain.counts) == 5
    assert (plain.counts[0], plain.counts[4], plain.counts[16], plain.counts[-1]) == (1, 2, 1, 1)
    assert plain.at(5) == 0.5
    near = histogram(references, [11.5, -1.0])
    assert (near.low, near.high, sum(near.counts)) == (-1, 11.5, 5)
    far = histogram(references, [1000.0, -1000.0])
    assert (far.low, far.high, sum(far.counts)) == (-2.5, 12.5, 5)
    assert (far.at(1000), far.at(-1000)) == (1, 0)
    flat = histogram(torch.tensor([3.0, 3.0]), [3.0])
    assert sum(flat.counts) == 2


def test_every_histogram_of_the_shipped_file_counts_a_thousand() -> None:
    for name, references in known().scores.items():
        assert sum(histogram(references, [0.0]).counts) == 1000, name


async def test_the_scores_are_those_of_the_network_s_own_outputs(engine: LocalEngine) -> None:
    network, found = embedded(), known()
    (one,) = await judged(engine, MODEL, network, found, [pixels("cat")])
    assert [r.score.id for r in one.readings] == [score.id for score in SCORES]
    outputs = {}
    x = normalise(pixels("cat")[None], preprocess(MODEL))
    with torch.inference_mode():
        for step in network.steps:
            x = network.module(step.name)(x)
            outputs[step.name] = x
    values = {r.score.id: r.value for r in one.readings}
    logits = outputs[network.logits]
    assert values["max_logit"] == pytest.approx(max_logit(logits).item(), abs=1e-4)
    assert values["energy"] == pytest.approx(energy(logits).item(), abs=1e-4)
    assert values["norm.4"] == pytest.approx(feature_norm(outputs["relu4"]).item(), rel=1e-4)
    assert values["norm.5"] == pytest.approx(feature_norm(outputs["relu5"]).item(), rel=1e-4)
    means = {f"relu{i}": outputs[f"relu{i}"].mean((2, 3)) for i in (1, 2, 3)}
    assert values["profile"] == pytest.approx(
        profile_distance(means, found.profiles).item(), rel=1e-4
    )
    assert one.first.index == int(logits.argmax())
    for reading in one.readings:
        references = found.scores[reading.score.id]
        assert reading.place.below == int((references < reading.value).sum())
        assert reading.place.count == 1000


async def test_a_run_s_tensors_give_the_same(runs: Runs) -> None:
    async with runs.listen("mini", "cat") as run:
        await run.finish()
        by_run = read_run(run, known())
    network = run.network
    assert scored_steps(network) == {"relu1", "relu2", "relu3", "relu4", "relu5", network.logits}
    engine = LocalEngine(CPU)
    (one,) = await judged(engine, MODEL, network, known(), [pixels("cat")])
    await engine.close()
    for a, b in zip(by_run, one.readings, strict=True):
        assert a.value == pytest.approx(b.value, rel=1e-4)


async def test_drawings_are_unusual_and_photos_are_not(engine: LocalEngine) -> None:
    """By the style's profile; the strength of the answer does not tell them apart."""
    drawn = ["sketch-cat", "x", "o", "gratings", "checkerboard", "colour-wheel", "noise"]
    photos = ["coffee", "cat", "motorcycle", "rocket", "astronaut"]
    network, found = embedded(), []
    for ids in (drawn, photos):
        found += await judged(engine, MODEL, network, known(), [pixels(id) for id in ids])
    style = dict(zip(drawn + photos, (one.readings[0].p_value for one in found), strict=True))
    assert all(style[id] <= 0.05 for id in drawn)
    assert all(style[id] > 0.05 for id in photos)
    strength = {one.readings[1].score.id for one in found}
    assert strength == {"max_logit"}
    sketch = found[0].readings[1]
    assert sketch.p_value > 0.2


def test_the_control_is_noise_as_large_as_the_change() -> None:
    clean = torch.full((3, 64, 64), 100, dtype=torch.uint8)
    signs = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(1)) > 0.5
    moved = (clean.int() + torch.where(signs, 3, -3)).to(torch.uint8)
    noise = control(PicturePair(MODEL, embedded(), "a", "b", clean, moved, None, 2))
    assert set((noise.int() - 100).abs().flatten().tolist()) == {3}
    assert not noise.equal(moved)


def test_the_operator_s_own_file_is_believed_for_these_weights_only(tmp_path: Path) -> None:
    """A network of somebody's own, with and without its file, and with that of other weights."""
    weights = tmp_path / "mini-mine.safetensors"
    assert MODEL.entry.path
    weights.write_bytes(MODEL.entry.path.read_bytes())
    alone = replace(MODEL, entry=replace(MODEL.entry, path=weights))
    data = tmp_path / "data"
    model = replace(alone, data=data)
    path = own_path(model, data)
    assert calibration(model) is None and calibration(alone) is None
    path.parent.mkdir(parents=True)
    save_file({"score.energy": torch.ones(3)}, path, {"weights_sha256": "0" * 64})
    assert calibration(model) is None
    path.unlink()
    digest = weights_digest(model.entry)
    save_file({"score.energy": torch.ones(4)}, path, {"weights_sha256": digest})
    found = calibration(model)
    assert found and len(found.scores["energy"]) == 4
    # Profiles of other channels are not believed either.
    path.unlink()
    profile = {"score.energy": torch.ones(5), "profile.relu1": torch.ones(2, 7)}
    save_file(profile, path, {"weights_sha256": digest})
    assert calibration(model) is None


def test_readings_need_no_event_loop_and_no_profile(tmp_path: Path) -> None:
    """A file without a profile has the other scores."""
    found = known()
    bare = Calibration(
        {k: v for k, v in found.scores.items() if k != "profile"}, {}, found.about, {}
    )

    async def ask() -> list[str]:
        engine = LocalEngine(CPU)
        (one,) = await judged(engine, MODEL, embedded(), bare, [pixels("cat")])
        await engine.close()
        return [r.score.id for r in one.readings]

    assert asyncio.run(ask()) == ["max_logit", "norm.4", "norm.5", "energy"]
