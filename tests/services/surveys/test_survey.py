"""The survey of a network: against a search, kept for its weights only, shared, given up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import torch

from app.errors import DataUnusable
from app.pictures.preprocess import fit, normalise
from app.pictures.samples import all_samples
from app.services.atlas.crop_sources import convolution
from app.services.atlas.shares import class_means, shares
from app.services.engine.engine import LocalEngine
from app.services.networks.catalogue import Catalogue, Model
from app.services.runs.peaks import strongest
from app.services.runs.run import preprocess
from app.services.surveys.survey import Survey, SurveyProgress, read_survey, survey, write_survey
from app.services.surveys.surveys import Surveys, weights_id
from app.vision.forward import forward_steps
from app.vision.stages import stage_ends
from tests.support.engines import CPU
from tests.support.networks import embedded
from tests.support.waiting import HANG, until


@pytest.fixture(scope="module")
def model() -> Model:
    return Catalogue(CPU, 1).model("mini")


@pytest.fixture(scope="module")
def made(model: Model) -> Survey:
    items = list(survey(model, embedded(), weights_id(model)))
    assert all(isinstance(item, SurveyProgress) for item in items[:-1])
    totals = [(i.done, i.total) for i in items if isinstance(i, SurveyProgress)]
    assert totals[-1][0] == totals[-1][1]
    last = items[-1]
    assert isinstance(last, Survey)
    return last


def test_crops_are_what_a_search_through_the_built_in_pictures_finds(
    model: Model, made: Survey
) -> None:
    prep, network = preprocess(model), embedded()
    maps = []
    for sample in all_samples():
        x = normalise(fit(sample.open(), prep).pixels, prep)[None]
        steps = forward_steps(network, x, until="conv4")
        maps.append({s.step.name: s.tensor[0] for s in steps if s.step.kind == "conv"})
    for step, channel in (("conv1", 7), ("conv4", 111)):
        peaks = [(float(one[step][channel].max()), n) for n, one in enumerate(maps)]
        peaks.sort(key=lambda p: (-p[0], p[1]))
        found = strongest(made.peaks, step, channel)
        assert [won.number for won in found] == [n for _, n in peaks[:9]]
        assert [won.value for won in found] == pytest.approx([v for v, _ in peaks[:9]], rel=1e-4)
        for won in found:
            flat = maps[won.number][step][channel].flatten()
            assert flat[won.cell].item() == pytest.approx(won.value, rel=1e-4)


def test_it_is_read_as_it_was_written_and_only_for_its_weights(
    made: Survey, tmp_path: Path
) -> None:
    path = tmp_path / "mini.safetensors"
    write_survey(path, made)
    again = read_survey(path, made.weights)
    assert again.pictures == made.pictures
    assert torch.equal(again.layers[3].curve, made.layers[3].curve)
    assert torch.equal(
        again.layers[5].scenes["monarch"].around, made.layers[5].scenes["monarch"].around
    )
    assert torch.equal(again.peaks[4].cells["conv2"], made.peaks[4].cells["conv2"])
    with pytest.raises(DataUnusable):
        read_survey(path, "0" * 64)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataUnusable):
        read_survey(path, made.weights)


def test_the_first_layer_of_mini_prefers_edges_and_the_last_classes(
    model: Model, made: Survey
) -> None:
    found = shares(model, made)
    assert list(found) == [1, 2, 3, 4, 5]
    colour, turned, classes = ([row[i].share or 0 for row in found.values()] for i in range(3))
    assert turned[0] > 0.4 > turned[4]
    assert 0.2 < colour[0] < 0.5
    assert classes[4] > 0.8 > classes[1]


def test_classes_are_not_measured_where_nobody_has_sorted_pictures() -> None:
    random = Catalogue(CPU, 1).model("mini-random")
    assert class_means(random, "relu5", ()) is None


def test_the_end_of_a_layer_is_its_last_step_before_the_pool(model: Model) -> None:
    catalogue = Catalogue(CPU, 1)
    assert stage_ends(model.outline.steps) == {n: f"relu{n}" for n in range(1, 6)}
    squeezed = stage_ends(catalogue.model("squeezenet1_1").outline.steps)
    assert list(squeezed.values())[:2] == ["relu1", "fire3.concat"]
    assert stage_ends(catalogue.model("vgg16_bn").outline.steps)[5] == "relu5_3"


def test_a_map_is_traced_to_its_convolution() -> None:
    catalogue = Catalogue(CPU, 1)
    squeezed = catalogue.model("squeezenet1_1")
    assert convolution(squeezed, "fire3.concat", 70) == ("fire3.expand3x3", 6)
    assert convolution(squeezed, "pool3", 10) == ("fire3.expand1x1", 10)
    assert convolution(catalogue.model("vgg11_bn"), "relu2_1", 5) == ("conv2_1", 5)
    assert convolution(catalogue.model("mini"), "fc6", 5) is None


async def test_it_is_made_once_for_all_who_ask_and_kept(
    engine: LocalEngine, tmp_path: Path
) -> None:
    surveys = Surveys(engine, Catalogue(CPU, 10**9), tmp_path)
    first = await surveys.get("mini")
    assert isinstance(first, SurveyProgress)
    one, other = await asyncio.gather(surveys.get("mini", 60), surveys.get("mini", 60))
    assert isinstance(one, Survey)
    assert one is other
    again = Surveys(engine, Catalogue(CPU, 10**9), tmp_path)
    kept = await again.get("mini")
    assert isinstance(kept, Survey)
    assert torch.equal(kept.layers[1].colour, one.layers[1].colour)


async def test_crops_come_before_all_is_measured(engine: LocalEngine, tmp_path: Path) -> None:
    surveys = Surveys(engine, Catalogue(CPU, 10**9), tmp_path)
    early = await surveys.get("mini", HANG, crops=True)
    assert isinstance(early, Survey)
    assert strongest(early.peaks, "conv1", 0)
    await surveys.close()


async def test_one_that_nobody_asks_for_any_more_is_given_up(
    engine: LocalEngine, tmp_path: Path
) -> None:
    surveys = Surveys(engine, Catalogue(CPU, 10**9), tmp_path, linger=0)
    await surveys.get("mini")
    await until(lambda: not surveys.busy)
    assert list(tmp_path.iterdir()) == []


async def test_one_that_somebody_waits_for_is_not_given_up(
    engine: LocalEngine, tmp_path: Path
) -> None:
    surveys = Surveys(engine, Catalogue(CPU, 10**9), tmp_path, linger=0)
    assert isinstance(await surveys.get("mini", HANG), Survey)
