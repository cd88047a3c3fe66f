"""Every step of every network against the same network written down a second time, functionally."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from app.vision.forward import forward_steps
from models import registry
from models.graph import Network
from tests.support.networks import embedded
from tests.support.published_networks import PARAMETERS, SQUEEZENET

Values = dict[str, Tensor]
BLOCKS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2, 2, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3)}
BLOCKS["vgg19"] = (2, 2, 4, 4, 4)


def chain(p: Values, mini: bool, x: Tensor) -> Values:
    """AlexNet, and mini after its pattern."""
    first = {"stride": 2, "padding": 3} if mini else {"stride": 4, "padding": 2}
    out: Values = {}
    for i in range(1, 6):
        options = first if i == 1 else {"padding": 2 if i == 2 else 1}
        x = out[f"conv{i}"] = conv(p, f"conv{i}", x, **options)
        x = out[f"relu{i}"] = x.clamp_min(0)
        if i in (1, 2, 5):
            x = out[f"pool{i}"] = F.max_pool2d(x, 3, 2, 1 if mini else 0)
    return out | head(p, x, 7 if mini else 8)


def vgg(p: Values, name: str, x: Tensor) -> Values:
    out: Values = {}
    for block, count in enumerate(BLOCKS[name.removesuffix("_bn")], start=1):
        for i in range(1, count + 1):
            at = f"{block}_{i}"
            x = out[f"conv{at}"] = conv(p, f"conv{at}", x, padding=1)
            if name.endswith("_bn"):
                x = out[f"norm{at}"] = norm(p, f"norm{at}", x)
            x = out[f"relu{at}"] = x.clamp_min(0)
        x = out[f"pool{block}"] = F.max_pool2d(x, 2, 2)
    return out | head(p, x, 8)


def squeezenet(p: Values, name: str, x: Tensor) -> Values:
    x = conv(p, "conv1", x, stride=2)
    out = {"conv1": x, "relu1": x.clamp_min(0)}
    x = out["pool1"] = F.max_pool2d(out["relu1"], 3, 2, ceil_mode=True)
    number = 2
    for word in SQUEEZENET[name].split():
        if word == "P":
            x = out[f"pool{number - 1}"] = F.max_pool2d(x, 3, 2, ceil_mode=True)
            continue
        fire = f"fire{number}"
        s = out[f"{fire}.squeeze"] = conv(p, f"{fire}__squeeze", x)
        s = out[f"{fire}.squeeze_relu"] = s.clamp_min(0)
        one = out[f"{fire}.expand1x1"] = conv(p, f"{fire}__expand1x1", s)
        one = out[f"{fire}.expand1x1_relu"] = one.clamp_min(0)
        three = out[f"{fire}.expand3x3"] = conv(p, f"{fire}__expand3x3", s, padding=1)
        three = out[f"{fire}.expand3x3_relu"] = three.clamp_min(0)
        x = out[f"{fire}.concat"] = torch.cat([one, three], 1)
        number += 1
    x = out["conv10"] = conv(p, "conv10", x)
    x = out["relu10"] = x.clamp_min(0)
    x = out["avgpool"] = x.mean((2, 3), keepdim=True)
    x = out["flatten"] = x.flatten(1)
    return out | {"softmax": x.exp() / x.exp().sum(1, keepdim=True)}


def conv(p: Values, name: str, x: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], stride, padding)


def norm(p: Values, name: str, x: Tensor) -> Tensor:
    def across(part: str) -> Tensor:
        return p[f"{name}.{part}"].view(1, -1, 1, 1)

    straight = (x - across("running_mean")) / (across("running_var") + 1e-5).sqrt()
    return straight * across("weight") + across("bias")


def head(p: Values, x: Tensor, last: int) -> Values:
    x = x.reshape(len(x), -1)
    out = {"flatten": x}
    for i in range(6, last + 1):
        x = out[f"fc{i}"] = x @ p[f"fc{i}.weight"].T + p[f"fc{i}.bias"]
        if i < last:
            x = out[f"relu{i}"] = x.clamp_min(0)
    return out | {"softmax": (x - x.logsumexp(1, keepdim=True)).exp()}


def restated(name: str, network: Network, x: Tensor) -> Values:
    parameters = dict(network.state_dict())
    if name.startswith("vgg"):
        return vgg(parameters, name, x)
    if name.startswith("squeezenet"):
        return squeezenet(parameters, name, x)
    return chain(parameters, name == "mini", x)


def made(name: str) -> Network:
    """Seeded weights; batch norms and biases that do something; the embedded ones for mini."""
    if name == "mini":
        return embedded()
    network = registry.seeded(name)
    generator = torch.Generator().manual_seed(1)
    for key, value in network.state_dict().items():
        if value.ndim == 1:
            spread = value.uniform_(0.5, 1.5, generator=generator)
            if key.endswith(("bias", "running_mean")):
                spread.sub_(1)
    if "fc8.weight" in network.state_dict():
        # Logits of the size that training gives: softmax multiplies what they differ by.
        network.state_dict()["fc8.weight"].mul_(0.1)
    return network


@pytest.mark.parametrize("name", ["mini", *PARAMETERS])
def test_every_step_equals_its_restatement(name: str) -> None:
    network = made(name)
    x = torch.randn(1, 3, network.input_size, network.input_size)
    with torch.inference_mode():
        expected = restated(name, network, x)
    seen = set()
    for output in forward_steps(network, x):
        wanted = expected[output.step.name]
        assert output.tensor.shape == wanted.shape
        error = (output.tensor - wanted).abs().max() / wanted.abs().max()
        assert error <= 1e-5, output.step.name
        seen.add(output.step.name)
    assert seen == set(expected)
