"""The published networks: torchvision's keys and shapes, written down from its layers."""

from __future__ import annotations

import pytest
from torch import nn

from models import registry
from models.graph import Network
from tests.support.published_networks import PARAMETERS, SQUEEZENET

# What `features` holds, as torchvision lists it: maps of a 3x3 convolution, M for a pool.
VGG = {
    "vgg11": "64 M 128 M 256 256 M 512 512 M 512 512 M",
    "vgg13": "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "vgg19": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}
Shapes = dict[str, tuple[int, ...]]


def alexnet_shapes() -> Shapes:
    weights = {
        "features.0": (64, 3, 11, 11),
        "features.3": (192, 64, 5, 5),
        "features.6": (384, 192, 3, 3),
        "features.8": (256, 384, 3, 3),
        "features.10": (256, 256, 3, 3),
        "classifier.1": (4096, 9216),
        "classifier.4": (4096, 4096),
        "classifier.6": (1000, 4096),
    }
    return both(weights)


def vgg_shapes(name: str) -> Shapes:
    norms = name.endswith("_bn")
    shapes: Shapes = {}
    before, place = 3, 0
    for word in VGG[name.removesuffix("_bn")].split():
        if word == "M":
            place += 1
            continue
        maps = int(word)
        shapes |= both({f"features.{place}": (maps, before, 3, 3)})
        if norms:
            norm = f"features.{place + 1}"
            shapes |= {f"{norm}.{part}": (maps,) for part in
                       ("weight", "bias", "running_mean", "running_var")}  # fmt: skip
            shapes[f"{norm}.num_batches_tracked"] = ()
        before, place = maps, place + (3 if norms else 2)
    head: Shapes = {"0": (4096, 25088), "3": (4096, 4096), "6": (1000, 4096)}
    return shapes | both({f"classifier.{key}": shape for key, shape in head.items()})


def squeezenet_shapes(name: str) -> Shapes:
    first: Shapes = {
        "features.0": (96, 3, 7, 7) if name.endswith("1_0") else (64, 3, 3, 3),
        "classifier.1": (1000, 512, 1, 1),
    }
    shapes = both(first)
    for place, word in enumerate(SQUEEZENET[name].split(), start=3):
        if word != "P":
            into, squeezed, one, three = map(int, word.split("-"))
            fire = f"features.{place}"
            shapes |= both({
                f"{fire}.squeeze": (squeezed, into, 1, 1),
                f"{fire}.expand1x1": (one, squeezed, 1, 1),
                f"{fire}.expand3x3": (three, squeezed, 3, 3),
            })  # fmt: skip
    return shapes


def both(weights: Shapes) -> Shapes:
    """Weights and the biases beside them."""
    shapes: Shapes = {}
    for key, shape in weights.items():
        shapes |= {f"{key}.weight": shape, f"{key}.bias": shape[:1]}
    return shapes


def published(name: str) -> Shapes:
    if name == "alexnet":
        return alexnet_shapes()
    return vgg_shapes(name) if name.startswith("vgg") else squeezenet_shapes(name)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_as_many_as_published(name: str) -> None:
    assert sum(p.numel() for p in registry.empty(name).parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_published_key_has_its_place_and_shape(name: str) -> None:
    keys = registry.find(name).keys
    found: Shapes = {}
    network = registry.empty(name)
    for step in network.steps:
        for parameter, value in network.module(step.name).state_dict().items():
            (prefix,) = [key for key, to in keys.items() if to == step.name]
            found[f"{prefix}.{parameter}"] = tuple(value.shape)
    assert found == published(name)


def names(network: Network) -> list[str]:
    return [step.name for step in network.steps]


def test_vgg_counts_its_convolutions_within_blocks() -> None:
    expected = []
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        for i in range(1, count + 1):
            expected += [f"conv{block}_{i}", f"relu{block}_{i}"]
        expected.append(f"pool{block}")
    head = ["flatten", "fc6", "relu6", "fc7", "relu7", "fc8", "softmax"]
    assert names(registry.empty("vgg16")) == expected + head
    with_norms = names(registry.empty("vgg16_bn"))
    assert with_norms[:5] == ["conv1_1", "norm1_1", "relu1_1", "conv1_2", "norm1_2"]
    assert [name for name in with_norms if "norm" not in name] == expected + head
    assert len(names(registry.empty("vgg16"))) == 38


def test_squeezenet_is_a_graph_of_fire_modules() -> None:
    network = registry.empty("squeezenet1_1")
    assert names(network)[:11] == [
        "conv1", "relu1", "pool1", "fire2.squeeze", "fire2.squeeze_relu", "fire2.expand1x1",
        "fire2.expand1x1_relu", "fire2.expand3x3", "fire2.expand3x3_relu", "fire2.concat",
        "fire3.squeeze",
    ]  # fmt: skip
    assert names(network)[-5:] == ["conv10", "relu10", "avgpool", "flatten", "softmax"]
    assert network.step("fire2.expand3x3").inputs == ("fire2.squeeze_relu",)
    assert network.step("fire2.concat").inputs == (
        "fire2.expand1x1_relu",
        "fire2.expand3x3_relu",
    )
    assert network.logits == "flatten"


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("alexnet", ["pool1", "pool2", "relu3", "relu4", "pool5"]),
        ("vgg19_bn", ["pool1", "pool2", "pool3", "pool4", "pool5"]),
        ("squeezenet1_0", ["pool1", "pool4", "pool8", "fire9.concat", "relu10"]),
        ("squeezenet1_1", ["pool1", "pool3", "pool5", "fire9.concat", "relu10"]),
    ],
)
def test_there_are_five_stages_and_a_head(name: str, last: list[str]) -> None:
    steps = registry.empty(name).steps
    ends = {step.stage: step.name for step in steps}
    assert [ends[stage] for stage in range(1, 6)] == last
    assert {step.stage for step in steps} == {1, 2, 3, 4, 5, None}
    numbers = [step.stage or 6 for step in steps]
    assert numbers == sorted(numbers)


def test_pools_of_squeezenet_round_up_and_those_of_the_others_down() -> None:
    for name in PARAMETERS:
        network = registry.empty(name)
        pools = [network.module(step.name) for step in network.steps if step.kind == "maxpool"]
        assert all(isinstance(pool, nn.MaxPool2d) for pool in pools)
        assert {pool.ceil_mode for pool in pools} == {name.startswith("squeeze")}
