"""Sizes and receptive fields: against torch, against published figures, against gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from app.vision.geometry import Box, CellAxis, geometry, output_size
from models import registry
from models.graph import INPUT, Concat, Layer, Network, Step, avgpool, conv, flatten, maxpool


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 5), st.integers(0, 3), st.booleans())
def test_sizes_are_those_of_torch(n: int, k: int, s: int, p: int, ceil: bool) -> None:
    p = min(p, k // 2)
    if n + 2 * p < k:
        return
    pooled = nn.MaxPool2d(k, s, p, ceil_mode=ceil)(torch.zeros(1, 1, n, n))
    assert output_size(n, k, s, p, ceil) == pooled.shape[-1]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("alexnet", {"conv1": 11, "conv2": 51, "conv3": 99, "conv4": 131, "conv5": 163}),
        ("alexnet", {"pool1": 19, "pool2": 67, "relu5": 163, "pool5": 195, "fc6": 224}),
        ("vgg16", {"conv1_1": 3, "conv1_2": 5, "pool1": 6, "conv5_3": 196, "pool5": 212}),
        ("mini", {"conv1": 7, "pool1": 11, "conv2": 27, "conv3": 51, "conv5": 83, "fc6": 64}),
    ],
)
def test_receptive_fields_are_the_published_ones(name: str, fields: dict[str, int]) -> None:
    found = geometry(registry.empty(name))
    assert {step: found[step].receptive_field for step in fields} == fields


def test_a_box_holds_exactly_the_pixels_that_move_the_cell() -> None:
    network = registry.seeded("mini")
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(0.01)
    found = geometry(network)
    for step in (one.name for one in network.steps if one.stage):
        _, height, width = found[step].shape
        for y, x in [(0, 0), (height // 2, width // 3), (height - 1, 1), (height - 1, width - 1)]:
            picture = torch.rand(1, 3, 64, 64, requires_grad=True)
            output = picture
            for one in network.steps:
                if one.kind == "maxpool":
                    # The mean over a window sees what its maximum can see, every pixel at once.
                    pool = nn.AvgPool2d(3, 2, 1)
                    output = pool(output)
                else:
                    output = network.module(one.name)(output)
                if one.name == step:
                    break
            output[0, 0, y, x].backward()  # type: ignore[no-untyped-call]
            assert picture.grad is not None
            touched = picture.grad[0].abs().sum(0).nonzero()
            (top, left), (bottom, right) = touched.min(0).values, touched.max(0).values + 1
            assert found[step].box(y, x) == Box(int(left), int(top), int(right), int(bottom))


def mean_of_windows(pool: nn.MaxPool2d) -> nn.AvgPool2d:
    """The mean over a window sees what its maximum can see, every pixel at once."""
    return nn.AvgPool2d(pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode)


@pytest.mark.parametrize("name", [name for name in registry.architectures() if name != "mini"])
def test_no_network_claims_a_pixel_that_its_cells_do_not_see(name: str) -> None:
    """Pools and joined maps, at the first and the last cell; one channel sees what all see."""
    network = registry.empty(name)
    found = geometry(network)
    side = network.input_size
    wanted = [one.name for one in network.steps if one.kind in ("maxpool", "concat")]
    picture = torch.rand(1, 1, side, side, requires_grad=True)
    outputs = {INPUT: picture}
    for one in network.steps:
        before, module = [outputs[i] for i in one.inputs], network.module(one.name)
        if isinstance(module, nn.Conv2d):
            window = torch.ones(1, 1, *module.kernel_size)
            made = F.conv2d(before[0], window, None, module.stride, module.padding)
        elif isinstance(module, nn.MaxPool2d):
            made = mean_of_windows(module)(before[0])
        elif one.kind == "concat":
            made = torch.stack(before).sum(0)
        elif one.kind in ("norm", "relu"):
            made = before[0]
        else:
            break
        outputs[one.name] = made
        if one.name not in wanted:
            continue
        _, height, width = found[one.name].shape
        assert outputs[one.name].shape[2:] == (height, width)
        for y, x in [(0, 0), (height - 1, width - 1), (height - 1, width // 2)]:
            (seen,) = torch.autograd.grad(outputs[one.name][0, 0, y, x], picture, retain_graph=True)
            touched = seen[0, 0].nonzero()
            (top, left), (bottom, right) = touched.min(0).values, touched.max(0).values + 1
            box = Box(int(left), int(top), int(right), int(bottom))
            assert found[one.name].box(y, x) == box, (one.name, y, x)


def test_an_axis_by_hand() -> None:
    # Window 3, stride 2, padding 1, twice: starts -1 and -3, jumps 2 and 4, sizes 3 and 7.
    once = CellAxis(8).window(3, 2, 1)
    twice = once.window(3, 2, 1)
    assert (once.cells, once.size, once.jump, once.start) == (4, 3, 2, -1)
    assert (twice.cells, twice.size, twice.jump, twice.start) == (2, 7, 4, -3)
    assert twice.span(0, 8) == (0, 4)
    assert twice.span(1, 8) == (1, 8)


def test_joined_maps_see_what_either_sees() -> None:
    step = Step("both", "concat", ("narrow", "wide"))
    wide = conv("wide", (3, 4), 5, 1, 2, inputs=(INPUT,))
    layers = [conv("narrow", (3, 2), 1), wide, Layer(step, Concat()), avgpool("mean"), flatten()]
    found = geometry(Network(9, [(1, layers)]))
    assert found["both"].shape == (6, 9, 9)
    assert found["both"].box(4, 4) == Box(2, 2, 7, 7)
    assert found["mean"].shape == (6, 1, 1)
    assert found["mean"].box(0, 0) == Box(0, 0, 9, 9)
    assert found["flatten"].shape == (6,)


def test_a_last_window_that_is_partly_filled_counts_with_ceil_mode() -> None:
    found = geometry(Network(6, [(1, [maxpool("pool", 3, 2, ceil_mode=True)])]))
    assert found["pool"].shape == (3, 3, 3)
    assert found["pool"].box(2, 2) == Box(4, 4, 6, 6)
