"""Twins with random weights: the same every time, told apart from the trained, gone when unused."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.errors import UnknownModel
from app.services.networks.catalogue import Catalogue
from app.services.networks.loading import load
from app.services.networks.weight_files import WeightFiles
from models.weights import TABLE
from tests.support.engines import CPU
from tests.support.networks import embedded, put_partial


def test_every_network_has_a_twin_that_no_list_names() -> None:
    shelf = WeightFiles()
    listed = [entry.id for entry in shelf.entries()]
    assert len(listed) == len(TABLE)
    assert not any(id.endswith("-random") for id in listed)
    assert [one.id for one in shelf.twins()] == [f"{id}-random" for id in listed]
    for twin in shelf.twins():
        assert (twin.state, twin.path, twin.verified) == ("random", None, False)
        assert shelf.find(twin.id) == twin
        assert shelf.find(twin.counterpart).counterpart == twin.id


def test_there_is_no_twin_of_nothing_or_of_a_twin() -> None:
    for id in ("none-random", "-random", "mini-random-random", "mini-Random"):
        with pytest.raises(UnknownModel):
            WeightFiles().find(id)


def test_a_twin_is_the_same_every_time_and_not_the_trained_network() -> None:
    entry = WeightFiles().find("mini-random")
    one, other, trained = load(entry), load(entry), embedded()
    assert not one.training
    for key, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[key])
        assert value.shape == trained.state_dict()[key].shape
        assert not torch.equal(value, trained.state_dict()[key])


def test_its_weights_are_he_s_and_its_biases_zero() -> None:
    network = load(WeightFiles().find("mini-random"))
    for step in ("conv2", "conv4", "fc6"):
        module = network.module(step)
        weight = module.weight.detach()  # type: ignore[operator]
        assert weight.std().item() == pytest.approx((2 / weight[0].numel()) ** 0.5, rel=0.02)
        assert abs(weight.mean().item()) < 0.02 * weight.std().item() * 3
        assert not module.bias.any()  # type: ignore[operator]


def test_digests_keep_them_apart() -> None:
    shelf = WeightFiles()
    digests = [entry.row.sha256 for entry in (*shelf.entries(), *shelf.twins())]
    assert len(set(digests)) == len(digests)
    assert shelf.find("mini-random").row.sha256 == WeightFiles().find("mini-random").row.sha256


def test_the_twin_of_a_partial_network_ends_where_it_does(tmp_path: Path) -> None:
    shelf = WeightFiles([put_partial(tmp_path)])
    network = load(shelf.find("own-mini-part-random"))
    assert (network.partial, network.steps[-1].name) == (True, "conv5")
    whole = load(shelf.find("mini-random")).state_dict()
    for key, value in network.state_dict().items():
        assert torch.equal(value, whole[key])


def test_a_file_that_is_called_like_a_twin_is_the_file(tmp_path: Path) -> None:
    save_file(embedded().state_dict(), tmp_path / "mini-a.safetensors")
    save_file(embedded().state_dict(), tmp_path / "mini-a-random.safetensors")
    shelf = WeightFiles([tmp_path])
    named = shelf.find("own-mini-a-random")
    assert (named.state, named.counterpart) == ("ready", "own-mini-a-random-random")
    assert shelf.find("own-mini-a-random-random").counterpart == "own-mini-a-random"


async def test_a_twin_leaves_the_trained_network_as_it_is_and_memory_when_unused() -> None:
    catalogue = Catalogue(CPU, 1)
    before = {k: v.clone() for k, v in (await catalogue.network("mini")).state_dict().items()}
    twin = await catalogue.network("mini-random")
    gone = weakref.ref(twin)
    del twin
    trained = await catalogue.network("mini")
    gc.collect()
    assert gone() is None
    assert all(torch.equal(v, before[k]) for k, v in trained.state_dict().items())


def test_a_catalogue_lists_twins_only_when_asked() -> None:
    catalogue = Catalogue(CPU, 1)
    assert "mini-random" not in [model.id for model in catalogue.models()]
    twins = {model.id: model for model in catalogue.twins()}
    twin, trained = twins["mini-random"], catalogue.model("mini")
    assert [step.name for step in twin.outline.steps] == [s.name for s in trained.outline.steps]
    assert twin.labels == trained.labels
