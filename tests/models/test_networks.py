"""The networks as graphs of named steps: built, counted, restated by hand."""

from __future__ import annotations

import hashlib
import json
import math

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor, nn

from app.services.weights import load
from app.vision.forward import forward_steps
from models import registry
from models.graph import INPUT, Concat, Layer, Network, Step, conv, fc, flatten, relu, softmax
from models.weights import TABLE, row

MINI_STEPS = [
    *("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3", "relu3", "conv4", "relu4"),
    *("conv5", "relu5", "pool5", "flatten", "fc6", "relu6", "fc7", "softmax"),
]
ALEXNET_STEPS = [*MINI_STEPS[:16], "fc7", "relu7", "fc8", "softmax"]


def test_the_steps_of_mini_and_alexnet_are_named_as_people_name_them() -> None:
    assert [step.name for step in registry.empty("mini").steps] == MINI_STEPS
    assert [step.name for step in registry.empty("alexnet").steps] == ALEXNET_STEPS


@pytest.mark.parametrize(
    ("name", "count"), [("mini", 1_851_492), ("alexnet", 61_100_840), ("vgg16", 138_357_544)]
)
def test_parameters_are_as_many_as_published(name: str, count: int) -> None:
    assert sum(p.numel() for p in registry.empty(name).parameters()) == count


VGG16_CONVS = [
    *("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3"),
    *("conv4_1", "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3"),
]


def test_the_steps_of_vgg16_are_named_as_people_name_them() -> None:
    expected = []
    for name in VGG16_CONVS:
        expected += [name, name.replace("conv", "relu")]
        if name in ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"):
            expected.append(f"pool{name[4]}")
    expected += ["flatten", "fc6", "relu6", "fc7", "relu7", "fc8", "softmax"]
    assert [step.name for step in registry.empty("vgg16").steps] == expected


PUBLISHED = {
    "alexnet": {
        "features.0": ("conv1", (64, 3, 11, 11)),
        "features.3": ("conv2", (192, 64, 5, 5)),
        "features.6": ("conv3", (384, 192, 3, 3)),
        "features.8": ("conv4", (256, 384, 3, 3)),
        "features.10": ("conv5", (256, 256, 3, 3)),
        "classifier.1": ("fc6", (4096, 9216)),
        "classifier.4": ("fc7", (4096, 4096)),
        "classifier.6": ("fc8", (1000, 4096)),
    },
    "vgg16": {
        "features.0": ("conv1_1", (64, 3, 3, 3)),
        "features.2": ("conv1_2", (64, 64, 3, 3)),
        "features.5": ("conv2_1", (128, 64, 3, 3)),
        "features.7": ("conv2_2", (128, 128, 3, 3)),
        "features.10": ("conv3_1", (256, 128, 3, 3)),
        "features.12": ("conv3_2", (256, 256, 3, 3)),
        "features.14": ("conv3_3", (256, 256, 3, 3)),
        "features.17": ("conv4_1", (512, 256, 3, 3)),
        "features.19": ("conv4_2", (512, 512, 3, 3)),
        "features.21": ("conv4_3", (512, 512, 3, 3)),
        "features.24": ("conv5_1", (512, 512, 3, 3)),
        "features.26": ("conv5_2", (512, 512, 3, 3)),
        "features.28": ("conv5_3", (512, 512, 3, 3)),
        "classifier.0": ("fc6", (4096, 25088)),
        "classifier.3": ("fc7", (4096, 4096)),
        "classifier.6": ("fc8", (1000, 4096)),
    },
}


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_published_keys_map_one_to_one_to_parameters(name: str) -> None:
    published = PUBLISHED[name]
    assert registry.find(name).keys == {key: step for key, (step, _) in published.items()}
    expected: dict[str, tuple[int, ...]] = {}
    for step, shape in published.values():
        expected |= {f"{step}.weight": shape, f"{step}.bias": shape[:1]}
    state = registry.empty(name).state_dict()
    assert {key: tuple(value.shape) for key, value in state.items()} == expected


def test_an_architecture_that_is_not_there_is_a_key_error() -> None:
    assert registry.architectures() == ("alexnet", "mini", "vgg16")
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
        data = weights.path.read_bytes()
        assert len(data) == weights.bytes
        assert hashlib.sha256(data).hexdigest() == weights.sha256
        with safe_open(weights.path, "pt") as file:
            metadata = file.metadata()
        assert json.loads(metadata["mean"]) == list(weights.mean)
        assert json.loads(metadata["std"]) == list(weights.std)
        assert int(metadata["input"]) == weights.crop


def restated(parameters: dict[str, Tensor], name: str, x: Tensor) -> dict[str, Tensor]:
    """The same networks written down a second time, in plain functional form."""
    mini = name == "mini"
    first = {"stride": 2, "padding": 3} if mini else {"stride": 4, "padding": 2}
    pooling = (3, 2, 1) if mini else (3, 2, 0)
    out = {}
    for i in range(1, 6):
        options = first if i == 1 else {"padding": 2 if i == 2 else 1}
        x = F.conv2d(x, parameters[f"conv{i}.weight"], parameters[f"conv{i}.bias"], **options)
        out[f"conv{i}"] = x
        x = out[f"relu{i}"] = x.clamp_min(0)
        if i in (1, 2, 5):
            x = out[f"pool{i}"] = F.max_pool2d(x, *pooling)
    x = out["flatten"] = x.reshape(len(x), -1)
    last = 7 if mini else 8
    for i in range(6, last + 1):
        x = x @ parameters[f"fc{i}.weight"].T + parameters[f"fc{i}.bias"]
        out[f"fc{i}"] = x
        if i < last:
            x = out[f"relu{i}"] = x.clamp_min(0)
    out["softmax"] = x.exp() / x.exp().sum(1, keepdim=True)
    return out


@pytest.mark.parametrize("name", ["mini", "alexnet"])
def test_every_step_equals_its_restatement(name: str) -> None:
    weights = row(name)
    network = load(weights) if weights else registry.seeded(name)
    x = torch.randn(2, 3, network.input_size, network.input_size)
    expected = restated(dict(network.state_dict()), name, x)
    for output in forward_steps(network, x):
        wanted = expected[output.step.name]
        error = (output.tensor - wanted).abs().max() / wanted.abs().max()
        assert error <= 1e-5, output.step.name


def test_every_map_of_vgg16_equals_its_restatement() -> None:
    # Maps of 64x64 pictures: each step's arithmetic is that of 224x224 at a twelfth of the cost.
    network = registry.empty("vgg16")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 3, 64, 64)
    drawn = {}
    for name, shape in PUBLISHED["vgg16"].values():
        if name in VGG16_CONVS:
            weight = torch.randn(shape, generator=generator) * (2 / math.prod(shape[1:])) ** 0.5
            drawn[name] = (weight, torch.randn(shape[0], generator=generator) / 10)
            state = dict(zip(("weight", "bias"), drawn[name], strict=True))
            network.module(name).load_state_dict(state, assign=True)
    found = {output.step.name: output.tensor for output in forward_steps(network, x, until="pool5")}
    assert len(found) == 31
    for name in VGG16_CONVS:
        x = F.conv2d(x, *drawn[name], padding=1)
        assert (found[name] - x).abs().max() <= 1e-5 * x.abs().max(), name
        x = x.clamp_min(0)
        if name in ("conv1_2", "conv2_2") or name.endswith("_3"):
            pool, x = f"pool{name[4]}", F.max_pool2d(x, 2, 2)
            assert (found[pool] - x).abs().max() <= 1e-5 * x.abs().max(), pool


def test_calling_a_network_gives_its_logits() -> None:
    network = Network(2, [(None, [flatten(), fc("fc", (12, 3)), softmax()])])
    assert network.logits == "fc"
    x = torch.randn(4, 3, 2, 2)
    assert torch.equal(network(x), network.module("fc")(x.flatten(1)))
