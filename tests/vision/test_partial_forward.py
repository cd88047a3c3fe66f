"""Part of a pass: only the steps that are needed, from any maps to any step."""

from __future__ import annotations

import pytest
import torch

from app.vision.partial_forward import partial_forward, side_inputs, steps_after, steps_between
from app.vision.units import before_relu
from models.graph import INPUT
from tests.support.small_networks import chain, graph

X = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_the_whole_way_is_the_network() -> None:
    for network in (graph(), chain()):
        made = partial_forward(network, {INPUT: X}, [network.logits, "softmax"])
        assert torch.equal(made[network.logits], network(X))
        assert torch.equal(made["softmax"], network(X).softmax(1))


def test_only_what_is_needed_is_computed() -> None:
    network = graph()
    names = [step.name for step in steps_between(network, {INPUT: X}, ["right"])]
    assert names == ["conv1", "norm1", "relu1", "pool1", "right"]
    given = {"both": X, "left": X}
    assert [step.name for step in steps_between(network, given, ["last_relu"])] == [
        "last",
        "last_relu",
    ]
    assert partial_forward(network, {"both": X}, ["both"])["both"] is X


def test_a_pass_goes_on_from_the_maps_that_are_given() -> None:
    network = graph()
    made = partial_forward(network, {INPUT: X}, ["left", "right_relu", "flatten"])
    given = {name: made[name] for name in ("left", "right_relu")}
    assert torch.equal(partial_forward(network, given, ["flatten"])["flatten"], made["flatten"])


def test_what_a_change_reaches_and_what_it_needs_beside() -> None:
    network = graph()
    assert steps_after(network, "left") >= {"left_relu", "both", "last", "softmax"}
    assert not steps_after(network, "left") & {"right", "right_relu", "pool1", "left"}
    assert side_inputs(network, "left", ["flatten"]) == ["right_relu"]
    assert side_inputs(network, "pool1", ["flatten"]) == []
    assert side_inputs(network, "left", ["flatten", "right"]) == ["right", "right_relu"]


def test_an_unknown_step_and_a_map_that_is_missing_are_key_errors() -> None:
    with pytest.raises(KeyError):
        partial_forward(graph(), {INPUT: X}, ["conv9"])
    with pytest.raises(KeyError):
        partial_forward(graph(), {"left": X}, ["both"])


def test_a_unit_is_asked_before_its_relu() -> None:
    network = graph()
    assert before_relu(network, "left_relu") == "left"
    assert before_relu(network, "softmax") == before_relu(network, "flatten") == "last"
    assert before_relu(network, "both") == "both"
    assert before_relu(network, "conv1") == "conv1"
    assert before_relu(chain(), "softmax") == "fc2"
    assert before_relu(chain(), "relu3") == "fc1"
    assert before_relu(chain(), "flatten") == "flatten"
