"""Projections against captum, on a chain and on a graph; and nothing is left behind."""

from __future__ import annotations

import pytest
import torch
from captum.attr import (  # type: ignore[import-untyped]
    Deconvolution,
    GuidedBackprop,
    LayerGradCam,
    Saliency,
)
from torch import Tensor, nn

from app.vision.projections.deconvolution import deconvolution
from app.vision.projections.grad_cam import grad_cam
from app.vision.projections.gradient import gradient
from app.vision.projections.guided import guided_backprop
from app.vision.units import Unit
from models.graph import Network, conv, relu
from tests.support.captum_units import Asked, target
from tests.support.networks import embedded
from tests.support.small_networks import chain, graph, untouched

# captum says so each time it sets its hooks, or asks for the gradient of a picture.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU:UserWarning"),
    pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require:UserWarning"),
    pytest.mark.filterwarnings("ignore:Setting forward, backward hooks:UserWarning"),
]
X = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(4))
UNITS = [
    (graph, Unit("both", 6, (1, 2))), (graph, Unit("both", 2)), (graph, Unit("flatten", 1)),
    (graph, Unit("softmax", 0)), (graph, Unit("last_relu", 3, (0, 0))), (graph, Unit("norm1", 5)),
    (chain, Unit("conv2", 4, (7, 0))), (chain, Unit("fc2", 3)), (chain, Unit("pool2", 0)),
    (chain, Unit("relu3", 6)),
]  # fmt: skip
OURS = {"gradient": gradient, "guided": guided_backprop, "deconvolution": deconvolution}


def captums(method: str, network: Network, picture: Tensor, unit: Unit) -> Tensor:
    asked, x = Asked(network, unit).eval(), picture[None].clone().requires_grad_()
    if method == "gradient":
        plain: Tensor = Saliency(asked).attribute(x, target(unit), abs=False)
        return plain[0]
    kind = GuidedBackprop if method == "guided" else Deconvolution
    found: Tensor = kind(asked).attribute(x, target(unit))
    return found[0].detach()


@pytest.mark.parametrize("method", OURS)
@pytest.mark.parametrize(("make", "unit"), UNITS)
def test_captum_agrees(method: str, make: type[Network], unit: Unit) -> None:
    network = make()  # type: ignore[call-arg]
    found = OURS[method](network, X, unit)
    torch.testing.assert_close(found, captums(method, network, X, unit), rtol=1e-4, atol=1e-6)
    assert found.shape == X.shape and not found.requires_grad
    assert untouched(make())  # type: ignore[call-arg]


@pytest.mark.parametrize("method", OURS)
def test_captum_agrees_on_mini(method: str) -> None:
    network, picture = embedded(), torch.randn(3, 64, 64)
    for unit in (Unit("conv3", 17, (5, 6)), Unit("fc7", 42), Unit("relu5", 3)):
        found = OURS[method](network, picture, unit)
        expected = captums(method, network, picture, unit)
        scale = 1e-5 * float(expected.abs().max())
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=scale)


@pytest.mark.parametrize("at", ["conv1", "norm1", "right_relu", "both", "last"])
@pytest.mark.parametrize("unit", [Unit("flatten", 2), Unit("last", 1, (2, 1)), Unit("softmax", 0)])
def test_captum_agrees_on_grad_cam(at: str, unit: Unit) -> None:
    network = graph()
    asked = Asked(network, unit).eval()
    layer = LayerGradCam(asked, network.module(at))
    if at == unit.step:
        return
    expected = layer.attribute(X[None].clone().requires_grad_(), target(unit))[0, 0].detach()
    found = grad_cam(network, X, unit, at)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


def test_captum_agrees_on_grad_cam_of_mini() -> None:
    network, picture = embedded(), torch.randn(3, 64, 64)
    unit = Unit("fc7", 42)
    layer = LayerGradCam(Asked(network, unit).eval(), network.module("conv5"))
    expected = layer.attribute(picture[None].clone().requires_grad_(), 42)[0, 0].detach()
    found = grad_cam(network, picture, unit, "conv5")
    scale = 1e-5 * float(expected.abs().max())
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=scale)


def by_hand() -> Network:
    """A ReLU between two weights: y = 3 max(0, 2 x0) - 5 max(0, 2 x1 - 1), pixel by pixel."""
    network = Network(1, [(1, [conv("a", (3, 2), 1), relu("r"), conv("b", (2, 1), 1, bias=False)])])
    a, b = network.module("a"), network.module("b")
    assert isinstance(a, nn.Conv2d) and isinstance(b, nn.Conv2d) and a.bias is not None
    with torch.no_grad():
        a.weight.zero_()
        a.weight[0, 0], a.weight[1, 1] = 2, 2
        a.bias.copy_(torch.tensor([0.0, -1.0]))
        b.weight.copy_(torch.tensor([3.0, -5.0]).view(1, 2, 1, 1))
    return network.eval()


@pytest.mark.parametrize(
    ("pixels", "plain", "guided", "upward"),
    [
        ((1.0, 1.0, 0.0), (6, -10, 0), (6, 0, 0), (6, 0, 0)),  # both on: the second speaks against
        ((-1.0, 0.0, 0.0), (0, 0, 0), (0, 0, 0), (6, 0, 0)),  # both off: only its sign is asked
    ],
)
def test_the_three_rules_by_hand(
    pixels: tuple[float, ...], plain: object, guided: object, upward: object
) -> None:
    network, unit = by_hand(), Unit("b", 0)
    x = torch.tensor(pixels).view(3, 1, 1)
    made = [tuple(OURS[name](network, x, unit).flatten().tolist()) for name in OURS]
    assert made == [plain, guided, upward]


def test_grad_cam_by_hand() -> None:
    x = torch.tensor([1.0, 1.0, 0.0]).view(3, 1, 1)
    # a_k = (3, -5), maps after the ReLU (2, 1): 3 * 2 - 5 * 1.
    assert grad_cam(by_hand(), x, Unit("b", 0), "r").tolist() == [[1.0]]


def test_nothing_is_left_behind_even_where_it_fails() -> None:
    network = graph()
    with torch.inference_mode():  # as a server's thread may be
        guided_backprop(network, X, Unit("both", 0))
        grad_cam(network, X, Unit("flatten", 0), "both")
    with pytest.raises(IndexError):
        deconvolution(network, X, Unit("both", 99))
    with pytest.raises(KeyError):
        gradient(network, X, Unit("conv9", 0))
    with pytest.raises(ValueError, match="rows"):
        grad_cam(network, X, Unit("softmax", 0), "flatten")
    with pytest.raises(ValueError, match="nothing leads"):
        grad_cam(network, X, Unit("left", 0), "right")
    assert untouched(network)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
