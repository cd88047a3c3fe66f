"""Where weights lie: the order of folders, files of one's own, partial ones, refused ones."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from app.services.networks.loading import load
from app.services.networks.state_dict import check, fit, to_state_dict
from app.services.networks.weight_files import WeightEntry, WeightFiles, second_file
from models import registry
from models.registry import find
from models.weights import TABLE, row
from tests.support.networks import embedded

State = dict[str, Tensor]
ALEXNET = next(weights for weights in TABLE if weights.id == "alexnet")


@pytest.fixture
def mini() -> State:
    return dict(embedded().state_dict())


def published(name: str) -> State:
    """Seeded weights of a small network under the keys of the published file."""
    return to_state_dict(name, registry.seeded(name))


def own(folder: Path) -> dict[str, WeightEntry]:
    return {one.id: one for one in WeightFiles([folder]).entries() if one.id.startswith("own-")}


def test_the_table_comes_first_and_says_what_is_here() -> None:
    entries = WeightFiles().entries()
    assert [one.id for one in entries] == [weights.id for weights in TABLE]
    assert (entries[0].state, entries[0].verified) == ("embedded", True)
    assert {(one.state, one.verified, one.path) for one in entries[1:]} == {
        ("downloadable", False, None)
    }


def test_the_folder_that_is_named_comes_before_the_cache(tmp_path: Path) -> None:
    stick, cache = tmp_path / "stick", tmp_path / "cache"
    for folder in (stick, cache):
        folder.mkdir()
        (folder / ALEXNET.file).write_bytes(b"x")
    shelf = WeightFiles([stick, cache])
    found = shelf.entry("alexnet")
    assert found == WeightEntry(ALEXNET, stick / ALEXNET.file, "ready", True)
    (stick / ALEXNET.file).unlink()
    assert shelf.entry("alexnet") == WeightEntry(ALEXNET, cache / ALEXNET.file, "ready", True)
    (cache / ALEXNET.file).unlink()
    assert shelf.entry("alexnet") == WeightEntry(ALEXNET, None, "downloadable", False)


def test_a_folder_that_is_not_there_is_no_problem(tmp_path: Path) -> None:
    assert len(WeightFiles([tmp_path / "nowhere"]).entries()) == len(TABLE)


def test_the_second_source_is_ready_but_not_verified(tmp_path: Path) -> None:
    vgg = row("vgg11")
    assert vgg
    (tmp_path / second_file(vgg)).write_bytes(b"x")
    shelf = WeightFiles([tmp_path])
    assert shelf.entry("vgg11") == WeightEntry(vgg, tmp_path / second_file(vgg), "ready", False)
    assert shelf.refused() == []
    (tmp_path / vgg.file).write_bytes(b"x")
    assert shelf.entry("vgg11") == WeightEntry(vgg, tmp_path / vgg.file, "ready", True)


def test_a_file_of_ones_own_is_an_entry_of_its_own(tmp_path: Path, mini: State) -> None:
    save_file(mini, tmp_path / "mini-class-7b.safetensors")
    save_file(published("squeezenet1_1"), tmp_path / "squeezenet1_1.safetensors")
    (tmp_path / "notes.safetensors").write_bytes(b"nobody asks")
    found = own(tmp_path)
    assert list(found) == ["own-mini-class-7b", "own-squeezenet1_1"]
    entry = found["own-mini-class-7b"]
    assert (entry.state, entry.verified, entry.last) == ("ready", False, None)
    assert "not verified" in entry.row.about
    picture = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert load(entry)(picture).equal(embedded()(picture))
    assert load(found["own-squeezenet1_1"]).logits == "flatten"


def test_half_precision_and_steps_own_names_do_as_well(tmp_path: Path) -> None:
    state = to_state_dict("squeezenet1_0", registry.seeded("squeezenet1_0"), published=False)
    names = {key: value.half() for key, value in state.items()}
    assert "fire2.squeeze.weight" in names
    save_file(names, tmp_path / "squeezenet1_0-own-names.safetensors")
    (entry,) = own(tmp_path).values()
    assert load(entry).module("conv10").weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "without", "last"),
    [
        ("mini", ("fc6", "fc7"), "conv5"),
        ("mini", ("fc7",), "fc6"),
        ("squeezenet1_1", ("classifier.1",), "fire9.expand3x3"),
    ],
)
def test_without_its_classifier_a_network_is_partial(
    tmp_path: Path, mini: State, name: str, without: tuple[str, ...], last: str
) -> None:
    whole = mini if name == "mini" else published(name)
    state = {key: value for key, value in whole.items() if key.rpartition(".")[0] not in without}
    save_file(state, tmp_path / f"{name}-part.safetensors")
    (entry,) = own(tmp_path).values()
    assert (entry.state, entry.last) == ("partial", last)
    network = load(entry)
    assert (network.steps[-1].name, network.partial, network.logits) == (last, True, "")
    x = torch.randn(1, 3, network.input_size, network.input_size)
    with torch.no_grad():
        assert network(x).shape[1] == network.step(last).channels


def test_what_is_wrong_is_refused_with_the_reason_and_the_others_stay(
    tmp_path: Path, mini: State
) -> None:
    def without(*keys: str) -> State:
        return {key: value for key, value in mini.items() if key not in keys}

    save_file(mini, tmp_path / "mini-good.safetensors")
    save_file(without("conv3.bias"), tmp_path / "mini-a.safetensors")
    save_file(without("fc7.bias"), tmp_path / "mini-b.safetensors")
    save_file(without("fc6.weight", "fc6.bias"), tmp_path / "mini-c.safetensors")
    save_file({**mini, "fc7.weight": torch.zeros(10, 512)}, tmp_path / "mini-d.safetensors")
    save_file({**mini, "conv9.bias": torch.zeros(1)}, tmp_path / "mini-e.safetensors")
    (tmp_path / "mini-f.safetensors").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "mini-g.safetensors").write_bytes(b"")
    save_file(mini, tmp_path / "mini-what is this.safetensors")
    shelf = WeightFiles([tmp_path])
    assert [one.id for one in shelf.entries()][-1] == "own-mini-good"
    reasons = {one.file: one.reason for one in shelf.refused()}
    assert list(reasons) == [f"mini-{letter}.safetensors" for letter in "abcdefg"] + [
        "mini-what is this.safetensors"
    ]
    for letter, words in {
        "a": "lacks conv3.bias",
        "b": "lacks fc7.bias",
        "c": "lacks fc6.bias, fc6.weight",
        "d": "fc7.weight has the shape (10, 512), not (100, 512)",
        "e": "has conv9.bias, unknown to mini",
        "f": "not a safetensors file",
        "g": "not a safetensors file",
    }.items():
        assert words in reasons[f"mini-{letter}.safetensors"]
    assert "letters, digits" in reasons["mini-what is this.safetensors"]


def test_a_file_is_looked_into_again_when_it_has_changed(tmp_path: Path, mini: State) -> None:
    path = tmp_path / "mini-mine.safetensors"
    shelf = WeightFiles([tmp_path])
    path.write_bytes(b"half copied")
    assert len(shelf.refused()) == 1
    save_file(mini, path)
    first = shelf.entry("own-mini-mine")
    assert first
    assert shelf.entry("own-mini-mine") is first
    os.utime(path, ns=(1, 1))
    second = shelf.entry("own-mini-mine")
    assert second
    assert second.row.sha256 != first.row.sha256
    path.unlink()
    assert shelf.entry("own-mini-mine") is None


def test_a_name_that_only_begins_alike_is_another_architecture(tmp_path: Path) -> None:
    for name in ("vgg16x-mine", "alexnetwork", "VGG16"):
        (tmp_path / f"{name}.safetensors").write_bytes(b"")
    (tmp_path / "vgg16_bn-mine.safetensors").write_bytes(b"")
    (refused,) = WeightFiles([tmp_path]).refused()
    assert refused.file == "vgg16_bn-mine.safetensors"


def test_timms_layout_of_vgg_is_the_same_network() -> None:
    shapes = {f"{step}.{part}": (*shape, *more)
              for step, shape, kernel in (("pre_logits.fc1", (4096,), (512, 7, 7)),
                                          ("pre_logits.fc2", (4096,), (4096, 1, 1)),
                                          ("head.fc", (1000,), (4096,)))
              for part, more in (("weight", kernel), ("bias", ()))}  # fmt: skip
    back = {step: key for key, step in find("vgg11").keys.items()}
    for key, value in registry.empty("vgg11").state_dict().items():
        step, _, part = key.rpartition(".")
        if step.startswith("conv"):
            shapes[f"{back[step]}.{part}"] = tuple(value.shape)
    assert check("vgg11", shapes, "file") is None


def test_a_matrix_stored_as_kernels_keeps_its_order(mini: State) -> None:
    kernels = {**mini, "fc6.weight": mini["fc6.weight"].view(512, 192, 4, 4)}
    assert fit("mini", kernels, "file").state_dict()["fc6.weight"].equal(mini["fc6.weight"])
