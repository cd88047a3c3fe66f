"""The networks as graphs of named steps: built, counted, restated by hand."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from safetensors import safe_open
from torch import nn

from models import registry
from models.graph import INPUT, Concat, Layer, Network, Step, conv, fc, flatten, relu, softmax
from models.weights import TABLE
from tests.support.published_networks import PARAMETERS

MINI_STEPS = [
    *("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3", "relu3", "conv4", "relu4"),
    *("conv5", "relu5", "pool5", "flatten", "fc6", "relu6", "fc7", "softmax"),
]
ALEXNET_STEPS = [*MINI_STEPS[:16], "fc7", "relu7", "fc8", "softmax"]


def test_the_steps_of_mini_and_alexnet_are_named_as_people_name_them() -> None:
    assert [step.name for step in registry.empty("mini").steps] == MINI_STEPS
    assert [step.name for step in registry.empty("alexnet").steps] == ALEXNET_STEPS


def test_an_architecture_that_is_not_there_is_a_key_error() -> None:
    assert registry.architectures() == tuple(sorted(["mini", *PARAMETERS]))
    with pytest.raises(KeyError):
        registry.find("resnet")


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="two steps are named 'relu'"):
        Network(8, [(1, [relu("relu"), relu("relu")])])


def test_an_input_that_does_not_come_before_is_refused() -> None:
    with pytest.raises(ValueError, match="does not come before"):
        Network(8, [(1, [relu("relu1", inputs=("later",)), relu("later")])])


def test_an_architecture_is_entered_once() -> None:
    with pytest.raises(ValueError, match="already an architecture named 'mini'"):
        registry.architecture("mini")(lambda: registry.empty("mini"))


def test_a_graph_joins_the_maps_of_two_steps() -> None:
    step = Step("both", "concat", ("a", "b"))
    network = Network(
        4,
        [(1, [conv("a", (3, 2), 1), conv("b", (3, 5), 1, inputs=(INPUT,)), Layer(step, Concat())])],
    )
    assert network(torch.zeros(2, 3, 4, 4)).shape == (2, 7, 4, 4)


def test_no_relu_works_in_place() -> None:
    for name in registry.architectures():
        modules = registry.empty(name).modules()
        assert not any(isinstance(m, nn.ReLU) and m.inplace for m in modules)


def test_seeded_weights_are_the_same_for_the_same_seed() -> None:
    one, same, other = (registry.seeded("mini", seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["conv1.weight"], other["conv1.weight"])


def test_the_table_tells_the_truth_about_its_files() -> None:
    for weights in TABLE:
        if not weights.embedded:
            continue
        data = weights.path.read_bytes()
        assert len(data) == weights.bytes
        assert hashlib.sha256(data).hexdigest() == weights.sha256
        with safe_open(weights.path, "pt") as file:
            metadata = file.metadata()
        assert json.loads(metadata["mean"]) == list(weights.mean)
        assert json.loads(metadata["std"]) == list(weights.std)
        assert int(metadata["input"]) == weights.crop


def test_published_files_carry_their_digits_in_their_names() -> None:
    published = [weights for weights in TABLE if not weights.embedded]
    assert [weights.id for weights in published] != []
    for weights in published:
        stem = weights.file.removesuffix(".pth")
        assert stem.rpartition("-")[2] == weights.sha256[:8]
        assert weights.url == f"https://download.pytorch.org/models/{weights.file}"
        assert len(weights.sha256) in (8, 64)
        assert f"{weights.top1:.1f} %" in weights.about
        assert (weights.resize, weights.crop) == (256, 224)
        # The file holds float32 and little else.
        parameters = sum(p.numel() for p in registry.empty(weights.architecture).parameters())
        assert weights.bytes == pytest.approx(4 * parameters, rel=0.01)


def test_calling_a_network_gives_its_logits() -> None:
    network = Network(2, [(None, [flatten(), fc("fc", (12, 3)), softmax()])])
    assert network.logits == "fc"
    x = torch.randn(4, 3, 2, 2)
    assert torch.equal(network(x), network.module("fc")(x.flatten(1)))
