"""Sizes and receptive fields: against torch, against published figures, against gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

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


def thin(network: Network, picture: torch.Tensor) -> dict[str, torch.Tensor]:
    """Each step's output with one map for all and every weight alike: what is read is not lost.

    A pool takes the mean: that reads every number that the maximum could be.
    """
    outputs = {INPUT: picture}
    for step in network.steps:
        module, given = network.module(step.name), [outputs[name] for name in step.inputs]
        first = given[0]
        match module:
            case nn.Conv2d():
                ones = torch.full((1, 1, *module.kernel_size), 0.1, dtype=first.dtype)
                first = nn.functional.conv2d(first, ones, None, module.stride, module.padding)
            case nn.MaxPool2d():
                size, stride, padding = module.kernel_size, module.stride, module.padding
                pool = nn.AvgPool2d(size, stride, padding, ceil_mode=module.ceil_mode)
                first = pool(first)
            case Concat():
                first = torch.stack(given).sum(0)
            case nn.AdaptiveAvgPool2d() | nn.Linear():
                first = first.mean((-2, -1), keepdim=True)
        outputs[step.name] = first
    return outputs


@pytest.mark.parametrize("name", registry.architectures())
def test_a_box_holds_exactly_the_pixels_that_move_the_cell(name: str) -> None:
    network = registry.empty(name)
    found, size = geometry(network), network.input_size
    picture = torch.rand(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    outputs = thin(network, picture)
    for step in (one for one in network.steps if one.kind not in ("relu", "norm", "softmax")):
        output, where = outputs[step.name][0, 0], found[step.name]
        height, width = where.shape[1:] if where.spatial else (1, 1)
        if not where.spatial:
            output = output.mean((0, 1), keepdim=True)
        assert output.shape == (height, width)
        last = (height - 1, width - 1)
        for y, x in {(0, 0), (height // 2, width // 3), (last[0], 0), (0, last[1]), last}:
            (grad,) = torch.autograd.grad(output[y, x], picture, retain_graph=True)
            touched = grad[0, 0].nonzero()
            (top, left), (bottom, right) = touched.min(0).values, touched.max(0).values + 1
            seen = Box(int(left), int(top), int(right), int(bottom))
            assert where.box(y, x) == seen, (step.name, y, x)


def test_a_window_over_the_edge_reads_no_more_than_the_last_cell_sees() -> None:
    # Of 6 pixels a kernel of 2 with stride 4 reads 0, 1, 4 and 5; of 8 it leaves out 6 and 7.
    once = CellAxis(8).window(2, 4, 0)
    assert (once.cells, once.span(1, 8), once.last) == (2, (4, 6), 6)
    over = once.window(3, 2, 0, ceil_mode=True)
    assert (over.cells, over.size, over.span(0, 8)) == (1, 10, (0, 6))
    assert geometry(registry.empty("squeezenet1_1"))["pool1"].box(54, 54).right == 223


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
